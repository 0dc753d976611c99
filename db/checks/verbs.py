"""The root verb of an instruction and the noun it acts on, as the verb-noun plot of Self-Instruct shows them.

Read by rules, without a parser's model: the first verb of an order ("Please extract all drugs" is extract,
drug), past what comes before it ("Given the note below, ...", "Your task is to ..."), with the head of the
noun phrase that follows; of a question its question word and the noun it is about ("Which valve leaks?" is
which, valve; "Does aspirin help?" is whether, aspirin). `read_verb` says None wherever the rules are not
sure, so a share of texts stays out of the plot, and that share is to be told beside it. English only.

After Wang et al. 2023, "Self-Instruct", figure 3 (20 most common verbs, 4 nouns each; they used a parser).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from db.checks.verb_words import (
    AUXILIARIES,
    CLAUSES,
    COPULAS,
    DETERMINERS,
    HOW,
    INDIRECT,
    NEVER_ALONE,
    NUMBERS,
    OPENERS,
    PARTICIPLES,
    PARTICLES,
    POLITE,
    PREPOSITIONAL,
    PREPOSITIONS,
    PRONOUNS,
    QUESTION_VERBS,
    STOPS,
    STRONG,
    TWO_FACED,
    VERBS,
    WH,
    base,
    base_of_gerund,
    base_of_third_person,
    is_adjective,
    is_adverb,
    singular,
)

READ_CHARACTERS = 700  # an order that has not begun by then is not looked for
READ_SENTENCES = 5


@dataclass(frozen=True)
class VerbNoun:
    """A verb in its base form (or a question's form: what, which, how many, whether) and a noun, singular."""

    verb: str
    noun: str


_ASKING = re.compile(
    r"(?:(?:can|could|would|will) you(?: please| kindly)?|you (?:should|must|can|will|have to|need to|are to|"
    r"(?:are|will be) (?:asked|required|expected|instructed|tasked) (?:to|with))|"
    r"(?:i|we) (?:want|need|would like|'d like|ask) you to|i'd like you to|"
    r"(?:your|the|this) (?:task|job|goal|aim|objective|role|assignment|mission) (?:here )?is to|"
    r"let(?:'s| us)|(?:try|be sure|make sure|remember) to|(?:go ahead|do your best) (?:and|to)|"
    r"help me(?: to)?|do not|don't|never)\s+",
    re.IGNORECASE,
)
_DESIRE = re.compile(r"(?:i|we)(?: would|'d)? (need|want|like)\s+(?!to\b|you\b)", re.IGNORECASE)
_LABEL = re.compile(r"[^\s:.?!]+(?: [^\s:.?!]+){0,6}:\s+")
_SENTENCES = re.compile(r"(?<=[.?!])[\"'”’)]*\s+|\n+")
_CLAUSE = re.compile(r"\s*[,;:]\s+|\s+[–—-]\s+")
_WORDS = re.compile(r"[^\W\d_]\w*(?:['’.-]\w+)*['’]?|\d[\w.,/%-]*|[^\s\w]")


def read_verb(text: str) -> VerbNoun | None:
    """The verb and the noun of an instruction, or None when the rules are not sure. Never raises."""
    for sentence in _sentences(text):
        found = _order(sentence) or _question(sentence)
        if found is not None:
            return None if found is _UNSURE else found
    return None


_UNSURE = VerbNoun(
    "", ""
)  # a verb was found, and no noun to go with it: the sentences after it are not asked


def _sentences(text: str) -> list[str]:
    pieces = _SENTENCES.split(text[:READ_CHARACTERS].replace("’", "'").strip())
    return [piece for piece in pieces if piece.strip()][:READ_SENTENCES]


# Orders ---------------------------------------------------------------------------------------------


def _order(sentence: str) -> VerbNoun | None:
    """What a sentence orders; _UNSURE for a verb without a noun; None where it is no order."""
    for start, clause in enumerate(_starts(sentence)):
        words = _past_courtesies(clause)
        found = _imperative(words)
        if found is not None:
            if found is _UNSURE and start:  # "From the notes, report, and letter, ..." was no order yet
                continue
            return found
        if start == 0 and (wanted := _DESIRE.match(clause)):
            return _pair(wanted.group(1).lower(), _words(clause[wanted.end() :]))
        if start == 0 and words and words[0].lower() in WH | AUXILIARIES:
            return None
    return _run_on(sentence) or _gerund(sentence)


def _starts(sentence: str) -> Iterator[str]:
    """Where an order may begin: the sentence, and past a label or an opening each clause after it."""
    yield sentence
    label = _LABEL.match(sentence)
    words = _words(sentence[:80])
    if label or (words and (words[0].lower() in OPENERS or base_of_gerund(words[0]))):
        for mark in _CLAUSE.finditer(sentence):
            yield sentence[mark.end() :]


def _past_courtesies(clause: str) -> list[str]:
    """The words of a clause from its verb on, where it is an order."""
    clause = clause.lstrip(" \"'“‘*#->•(")
    while asking := _ASKING.match(clause):
        clause = clause[asking.end() :]
    words = _words(clause)
    while words and (words[0].lower() in POLITE or is_adverb(words[0])):
        words = words[1:]
        if asking := _ASKING.match(" ".join(words[:8]) + " "):
            words = words[len(asking.group().split()) :]
    return words


def _imperative(words: Sequence[str]) -> VerbNoun | None:
    if not words:
        return None
    verb = base(words[0])
    if verb not in VERBS or not _may_order(verb, words[1:]):
        return None
    return _pair(verb, words[1:])


def _may_order(verb: str, after: Sequence[str]) -> bool:
    """False where the word is rather a noun: "Question: ...", "Present illness?", "Reports show ..."."""
    following = after[0].lower() if after else ""
    if following in {":", "?", "is", "are", "was", "were", "has", "have", ""}:
        return False
    if verb not in TWO_FACED or following in DETERMINERS | PREPOSITIONS | INDIRECT | CLAUSES | PRONOUNS:
        return True
    if following in PARTICLES or NUMBERS.match(following) or is_adverb(following):
        return True
    if verb == "present":  # "present illness" is a noun phrase; "present findings" may be
        return False
    return following[:1].isalpha() and following not in STOPS


def _run_on(sentence: str) -> VerbNoun | None:
    """ "For each symptom in the note write ...": an opening that runs into its verb."""
    words = _words(sentence)
    if not words or words[0].lower() not in OPENERS:
        return None
    for place in range(2, min(len(words), 16)):
        verb = base(words[place])
        before = words[place - 1].lower()
        if verb in STRONG and words[place] == verb and before not in STOPS | DETERMINERS | {"to", ","}:
            return _pair(verb, words[place + 1 :])
    return None


def _gerund(sentence: str) -> VerbNoun | None:
    """ "Summarising the visit for the team.": a heading that names the task."""
    words = _words(sentence)
    verb = base_of_gerund(words[0]) if words else ""
    if not verb or verb in {"use", "give", "follow", "consider", "work", "act", "include"} or len(words) < 2:
        return None
    return _pair(verb, words[1:]) if words[1].lower() in DETERMINERS else None


def _pair(verb: str, after: Sequence[str]) -> VerbNoun:
    """The verb with the head of its object; _UNSURE without one."""
    after = list(after)
    if after and after[0].lower() in PREPOSITIONAL.get(verb, ()):
        after = after[1:]
    elif verb in NEVER_ALONE:
        return _UNSURE
    elif after and after[0].lower() in PARTICLES:
        after = after[1:]
    if len(after) > 1 and after[0].lower() in INDIRECT:
        if after[1].lower() in {"as", "into"}:
            return _of(verb, _head(after[2:]))
        after = after[1:]
    while after and (after[0].lower() in POLITE or is_adverb(after[0])):
        after = after[1:]
    if (
        len(after) > 2
        and after[0].lower() in {"it", "this", "these", "them"}
        and after[1].lower() in {"as", "into"}
    ):
        return _of(verb, _head(after[2:]))
    return _of(verb, _head(after, verbs=verb == "help"))


def _of(verb: str, noun: str) -> VerbNoun:
    return VerbNoun(verb, noun) if noun else _UNSURE


# Questions ------------------------------------------------------------------------------------------


def _question(sentence: str) -> VerbNoun | None:
    """What a sentence asks, as its question word and a noun; None where it is no question."""
    if "?" not in sentence:
        return None
    for clause in (sentence, *(sentence[mark.end() :] for mark in _CLAUSE.finditer(sentence))):
        words = [word.lower() for word in _words(clause)]
        while words and (words[0] in POLITE | {"of", '"', "'", "(", "“"} or is_adverb(words[0])):
            words = words[1:]
        if len(words) > 1 and words[0] in PREPOSITIONS and words[1] in {"what", "which", "whom", "whose"}:
            words = words[1:]
        if len(words) > 1 and words[0] in WH:
            return _asked(words)
        if len(words) > 1 and words[0] in AUXILIARIES:
            return _whether(words)
    return None


def _asked(words: list[str]) -> VerbNoun:
    form, rest = words[0], words[1:]
    if form == "how" and rest[0] in HOW:
        form, rest = f"how {rest[0]}", rest[1:]
        if form in ("how many", "how much"):
            return _of(form, _head(rest, verbs=True))
    if form == "how" and len(rest) > 1 and rest[0] == "to":
        return _of(form, _head(rest[2:]))
    if rest and rest[0] in AUXILIARIES:
        auxiliary, rest = rest[0], rest[1:]
        if rest[:1] == ["("] and ")" in rest:  # what is (are)
            rest = rest[rest.index(")") + 1 :]
        if auxiliary in COPULAS and form in ("what", "which", "who"):
            return _of(form, _head(rest))
        return _of(form, _head(rest, verbs=True))
    if form in ("what", "which", "whose"):
        if rest and rest[0] == "of":
            rest = rest[1:]
        return _of(form, _head(rest, verbs=True))
    return _UNSURE


def _whether(words: list[str]) -> VerbNoun:
    noun = _head(words[1:], verbs=words[0] not in COPULAS, whole=words[0] not in COPULAS)
    return _of("whether", noun)


# Noun phrases ---------------------------------------------------------------------------------------


def _head(words: Sequence[str], *, verbs: bool = False, whole: bool = True) -> str:
    """The head noun of the phrase that `words` begin with, singular; "" when there is none to be sure of.

    `verbs`: a verb may follow the phrase and ends it, as in a question. `whole`: it may be all there is.
    """
    phrase, ended, marked = [], False, False
    for place, raw in enumerate(words):
        word = raw.lower().removesuffix("'")
        if not phrase and word == "of" and place:  # all of the, one of the
            continue
        if not phrase and marked and word in {"that", "which", "who"}:  # those that, the one which
            return ""
        marked = marked or word in DETERMINERS
        if not phrase and (word in DETERMINERS or NUMBERS.match(word) or word in {"“", '"', "(", "*"}):
            continue
        if not phrase and word in PRONOUNS | CLAUSES:
            return ""
        if word in {"and", "or", ","} and phrase and is_adjective(phrase[-1]) and place + 1 < len(words):
            phrase = []  # "a short, clear summary", "a short and clear summary"
            continue
        if _ends(word, phrase, verbs):
            ended = True
            break
        if word.endswith("'s"):  # the patient's notes: what is owned counts
            phrase = []
            continue
        phrase.append(word)
    if not phrase or (not ended and not whole and len(phrase) > 1):
        return ""
    return singular(phrase[-1])


def _ends(word: str, phrase: list[str], verbs: bool) -> bool:
    if not word[:1].isalpha() or word in PREPOSITIONS or word in STOPS or word in PRONOUNS:
        return True
    if not phrase:
        return False
    before = phrase[-1]
    if word in DETERMINERS:
        return True
    if word in PARTICIPLES or is_adverb(word):  # the drug taken; but: the newly taken drug
        return not is_adverb(before) and not is_adjective(before)
    is_plural = singular(before) not in ("", before)
    if is_plural and word.endswith(("ing", "ed")):
        return True
    return verbs and (base(word) in QUESTION_VERBS or base_of_third_person(word) in QUESTION_VERBS)


def _words(text: str) -> list[str]:
    return _WORDS.findall(text)
