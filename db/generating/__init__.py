"""What is asked of a model that writes instructions, how its replies are read, and what is kept of them.

`prompts` and `draws` make a request, `replies` reads what comes back, `funnel` says how far each record comes
by the rules of `profiles`. Nothing here speaks to a network: the job that does is in trainer.
"""
