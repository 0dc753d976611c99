"""The model server: the sides of a comparison over HTTP, answered from one copy of the weights.

A request runs through app (routes) -> bodies (what was asked) -> catalog (which models those are) ->
prompting (token ids) -> engine (queue, one generation thread) -> holding (base and adapters in memory) ->
answering (rows, decode). Where it computes places says, how it comes and goes lifecycle.
"""
