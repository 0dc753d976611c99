"""The words by which `grounding` sees that a sentence has turned: denials, opposites, numbers, units."""

_COUNTED = "zero one two three four five six seven eight nine ten eleven twelve"
_DENIALS = """
no not without never none neither nor denies denied deny denying cannot lacks lacked lacking
"""
_DENIED_BEFORE = "absent negative denied excluded"  # "fever was absent"
_DENIED_AFTER = "negative absence"  # "negative for", "absence of"
_ENDS_DENIAL = "but however although though except yet ; whereas while because"
_OPPOSITES = """
increase decrease, increased decreased, increases decreases, increasing decreasing, higher lower, high low,
raised lowered, raises lowers, raise lower, left right, positive negative, benign malignant, acute chronic,
before after, improved worsened, improves worsens, more less, more fewer, present absent, upper lower,
anterior posterior, proximal distal, medial lateral, systolic diastolic, maximum minimum, start stop,
started stopped, agonist antagonist, tachycardia bradycardia, hypertension hypotension,
hyperthyroidism hypothyroidism, hyperglycaemia hypoglycaemia, hyperglycemia hypoglycemia,
hyperkalaemia hypokalaemia, hyperkalemia hypokalemia, hypernatraemia hyponatraemia,
hypernatremia hyponatremia, hypercalcaemia hypocalcaemia, hypercalcemia hypocalcemia,
hyperthermia hypothermia, hypercapnia hypocapnia
"""
_UNITS = """
mg g kg mcg \N{MICRO SIGN}g \N{GREEK SMALL LETTER MU}g microgram milligram gram ng ml l dl litre liter mmol
mol \N{GREEK SMALL LETTER MU}mol meq iu unit mmhg kpa bpm cm mm m second minute hour day week month year
"""


def _each_way(pairs: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in pairs.split(","):
        left, right = pair.split()
        found.setdefault(left, set()).add(right)
        found.setdefault(right, set()).add(left)
    return {word: frozenset(others) for word, others in found.items()}


NUMBERS = {word: str(number) for number, word in enumerate(_COUNTED.split())}
DENIALS = frozenset(_DENIALS.split())
DENIED_BEFORE = frozenset(_DENIED_BEFORE.split())
DENIED_AFTER = frozenset(_DENIED_AFTER.split())
ENDS_DENIAL = frozenset(_ENDS_DENIAL.split())
OPPOSITES = _each_way(_OPPOSITES)
UNITS = frozenset(_UNITS.split())
