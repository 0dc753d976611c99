"""Which words of a text name what it is about, so that a swapped drug is told apart from a reworded copy.

Two near texts are *variants* when each names something that the other does not: "effects of metformin"
and "effects of lisinopril", "type 1" and "type 2", "left" and "right". Otherwise one is a *copy*: it only
rewords ("Describe" for "Explain"), reorders, or adds to one side ("hepatitis B" for "hepatitis").

A word names something unless it is in the list below: function words, and the words people ask and instruct
with. Words are compared by a rough stem in one spelling, so "tumours" and "tumor" are one name.

A heuristic, and where it errs:
- a synonym outside the list ("renal" for "kidney") reads as another name: the pair passes as a variant;
- an added or dropped "not" swaps no name: the pair stays a copy, which stops until someone says why it may
  pass;
- the list is English: in other languages every word is a name, and a reworded copy passes as a variant;
- two names whose stems are equal ("treated", "treats") are one name.
Whoever wants none of this sets the project's two thresholds to the same number.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

_FUNCTION = """
a about across again against all along also although always am among an and another any anyone anything are
around as at away be because become been being beside between both but by can cannot could did do does doing
done each either else enough etc even ever every everyone everything few for from further get give given gives
got had has have having he hence her here hers herself him himself his how however i if in including instead
into is it its itself just keep kept let lets made make makes making many may me might mine much must my
myself near need needs neither next no nor not nothing now of off often on once only onto or other others
otherwise our ours out own per perhaps please quite rather really same shall she should since so some someone
something such take taken than that the their theirs them themselves then there thereby therefore these they
thing things this those though through throughout thus to together too toward towards upon us use used uses
using usual usually very via was way ways we well were what whatever when where whether which while who whole
whom whose why will with within would yes yet you your yours yourself
"""
_ASKING = """
able according accurate accurately add additional again aim analyse answer answers appropriate article ask
aspect assess assume assign available base based basic best brief briefly bullet case categorise category
change check choice choose clarify classify clear clearly clinician column come comment common commonly
compare complete compose comprehensive concise concisely conclude consider contain content context contrast
convert correct correctly create decide deduce define definition derive describe description design detail
detailed details determine develop difference different discuss discussion distinguish document draft easy
elaborate enumerate essay estimate evaluate evidence exact exactly example examples excerpt explain
explanation express extract fact facts fill find finding follow following form format formulate full general
generate good guide help here highlight idea identify illustrate important include indicate infer inform
information input instruct instruction interpret involve issue item items judge justify key kind label
language lay layman leave letter line lines list listed long main mark mean meaning mention message method
name named namely necessary note number numbered one's option options order outline output overview paragraph
paragraphs paraphrase part particular passage people person phrase phrases pick piece plain plan point points
possible prepare present propose proper provide purpose question questions quote read reader reason reasoning
recommend record refer related relevant rephrase reply report request required respond response rest result
return review rewrite role row say section see select sentence sentences separate set short shortly show
simple simply sort specific specify standard state statement step steps story style suggest suggestion
suitable sum summarise summary supply support table tell term terms text think title topic translate true try
turn type understand understandable verify word words work write writing written
"""
_SPELLINGS = (("ae", "e"), ("oe", "e"), ("sulph", "sulf"))
_PLURAL_ES = re.compile(r"(?<=ss|sh|ch)es$|(?<=[xz])es$")
_BRITISH = re.compile(r"our$")
_BRITISH_VERB = re.compile(r"(?<=[iy])s$")


def names(words: Iterable[str]) -> frozenset[str]:
    """What a text names, as stems: words in lower case in, those of the list left out."""
    return frozenset(filter(None, map(name_of, words)))


def are_variants(left: Iterable[str], right: Iterable[str]) -> bool:
    """True where each of two texts, given as words in lower case, names something that the other does not."""
    ours, theirs = names(left), names(right)
    return not (ours <= theirs or theirs <= ours)


@lru_cache(maxsize=100_000)
def name_of(word: str) -> str:
    """The stem of a word that names something; empty for the words of the list."""
    stem = _stem(word)
    return "" if stem in _PLAIN else stem


def _stem(word: str) -> str:
    """A word without its English ending and in American spelling: equal for what is one word to a reader."""
    if len(word) < 4 or not (word.isascii() and word.isalpha()):
        return word
    for british, american in _SPELLINGS:
        word = word.replace(british, american)
    if len(word) > 4 and word.endswith(("ies", "ied")):
        word = word[:-3] + "y"
    elif _PLURAL_ES.search(word):
        word = word[:-2]
    elif word.endswith("s") and word[-2] not in "siu":
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    if len(word) > 4:
        word = _BRITISH.sub("or", word)
    if len(word) > 3:
        word = word.removesuffix("e")
    return _BRITISH_VERB.sub("z", word) if len(word) > 5 else word


_PLAIN = frozenset(map(_stem, (_FUNCTION + _ASKING).split()))
