"""The model server: base and tuned answers over HTTP on loopback, from one copy of the weights.

A request runs through app (routes) -> bodies (what was asked) -> catalog (which model that is) -> prompting
(token ids) -> engine (queue, one generation thread) -> holding (base and adapters in memory) -> decode.
"""
