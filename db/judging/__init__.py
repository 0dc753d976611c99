"""A model as judge: the rubric it goes by, how it is asked, and what its words count.

No database and no network here.
"""
