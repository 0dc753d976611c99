"""Asking an endpoint: a client that goes only where it may, one completion, and what its troubles mean.

Importing it loads the `openai` package, which takes a second: pages import it when a person presses Test.
"""
