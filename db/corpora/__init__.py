"""Corpora: files of annotated text in, instructions out, and a model's answer back into annotations."""
