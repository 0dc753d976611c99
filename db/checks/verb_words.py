"""The words by which `verbs` reads instructions: its lexicon, and what a word's form tells. English only."""

import re


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


VERBS = _set("""
abbreviate abridge abstract accept account acknowledge act adapt add address adjust advise align allocate
amend analyse annotate anonymise answer anticipate append apply appraise approximate argue arrange
articulate ask assemble assess assign associate attach audit balance boil brainstorm break build calculate
capture categorise challenge change characterise chart check choose circle cite clarify classify clean
cluster code collect colour combine comment compare compile complete compose compress compute concatenate
conclude condense conduct confirm connect consider construct contrast convert copy correct correlate count
cover craft create criticise critique cut debate decide decode deduce define delete deliver demonstrate
derive describe design detail detect determine develop devise diagnose differentiate digest disambiguate
discern discover discuss display distil distinguish divide document draft draw edit elaborate eliminate
elucidate employ encode encourage enhance enumerate estimate evaluate examine exclude exemplify expand
explain explore express extend extract fetch figure fill filter find finish fix flag flesh fold follow
forecast form format formulate gather generalise generate give go grade grasp group guess guide handle
harmonise help highlight hypothesise identify illustrate imagine imply improve include indicate infer
inform insert inspect integrate interpret introduce invent investigate itemise join judge justify keep
label lay leave link list locate look lower make manage map mark match measure mention merge minimise
model modify monitor name narrate normalise note number offer omit optimise order organise outline output
paraphrase parse perform pick pinpoint place plan point pool practise predict prepare prescribe present
prioritise produce propose prove provide pull put quantify quote rank rate read rearrange recalculate
recall recap recast recognise recommend reconcile reconstruct record rectify redact reduce refer refine
reformat reformulate refute rehearse rename reorder reorganise repair repeat rephrase replace reply report
rescue research resolve respond restate restructure retrieve return revise review reword rewrite role-play
round sample say scan schedule score screen search segment select send separate set settle shorten show
simplify simulate sketch solve sort specify split standardise state stratify structure study substitute
suggest sum summarise supply support synthesise tabulate tag take teach tell test think trace track
transcribe transform translate transpose triage turn underline unify unscramble update use validate verify
visualise weigh word work write de-identify reason document fact-check proofread cross-check double-check
""")
# Nouns and adjectives too: at the start of a text they are verbs only before a phrase of their own.
TWO_FACED = _set("""
abstract account address answer change chart code comment complete count cover critique cut design detail
document draft draw edit figure filter form format grade group guide help judge label link list look lower
map mark match measure model monitor name note number offer order outline output place plan point practise
present quote rank rate read record report research review round sample score screen search set sketch
sort state structure study support tag test trace track triage turn update use word work clean correct
balance challenge display finish fold digest reason separate pool model
""")
# Where nothing parts an opening from its order ("For each drug write ..."): these are hardly ever nouns.
STRONG = _set("""
write give extract identify summarise classify describe explain provide determine generate list say state
tell select choose predict translate rewrite assign
""")
PREPOSITIONAL = {
    "act": {"as"},
    "answer": {"to"},
    "comment": {"on", "upon"},
    "elaborate": {"on"},
    "go": {"through", "over"},
    "look": {"at", "for", "up", "through", "into"},
    "refer": {"to"},
    "reply": {"to"},
    "respond": {"to"},
    "search": {"for"},
    "think": {"of", "about"},
    "work": {"out", "through"},
}

NEVER_ALONE = _set("act comment elaborate go look reason refer reply respond search think")

PARTICLES = _set("up down out off over away back together")
PREPOSITIONS = _set("""
about above according across after against along among amongst around as at based because before behind
below beneath beside besides between beyond by concerning despite during except following for from given
in including inside into like near of off on onto outside over per plus regarding relating since than
through throughout till to toward towards under until unto upon using versus via vs with within without
considering assuming when where if while whenever although though once unless whereas so
""")
OPENERS = PREPOSITIONS | _set(
    "provided suppose supposing being having working acting keeping here below imagine"
)
DETERMINERS = _set("""
the a an this these that those each every all any some no both either neither another such its his her
their our your my one's whatever whichever several many few more most only just exactly precisely at least
same following given one two three four five six seven eight nine ten eleven twelve first second third
single
""")
NUMBERS = re.compile(r"\d[\d.,/-]*$")
PRONOUNS = _set("""
it them they he she him i we us me you itself themselves this that these those one ones everything
anything something nothing everyone anyone someone there here none
""")
INDIRECT = _set("me us him them you")
CLAUSES = _set("what which who whom whose when where why how whether if that")
STOPS = _set("""
and or nor but is are was were be been being has have had do does did can could may might must shall
should will would that which who whom whose not please then because so here there today now already ever
again yourself themselves instead too also if when where whether why how what whose
""")
PARTICIPLES = _set("""
given taken shown found made written seen known left drawn held used said told sent kept thought done
begun chosen ordered asked named listed described mentioned reported recorded stated planned requested
started added prescribed introduced wanted needed supported contradicted provided supplied presented
discussed observed detected required involved marked
""")
ADJECTIVES = _set("""
short clear brief main key most likely best correct right wrong new old current present absent possible
important relevant severe acute chronic safe unsafe simple plain concise detailed complete full positive
negative true false yes certain sure available necessary appropriate serious rare common normal abnormal
""")
ADJECTIVE_ENDINGS = ("able", "ible", "ous", "ful", "less", "ive", "ical", "ary", "ish")
NO_ADJECTIVES = _set("""
summary vocabulary glossary commentary diary library salary boundary table variable objective narrative
perspective alternative adjective incentive initiative dictionary itinerary capillary directive detective
preventive laxative
""")
NO_ADVERBS = _set("family assembly anomaly early italy butterfly monopoly")
NOT_NOUNS = _set("""
yes no ok happen occur true false entailment neutral below above following given same other others such
etc e.g i.e eg ie via more less
""")
POLITE = _set("""
please kindly now then first firstly next finally also just simply and so ok okay hi hello well again
lastly afterwards
""")
WH = _set("what which who whom whose when where why how")
AUXILIARIES = _set("""
is are was were am be do does did has have had can could should would will shall may might must isn't
aren't doesn't don't
""")
COPULAS = _set("is are was were am")
HOW = _set("""
many much long often old soon far common effective likely large big high low severe well quickly early
""")
QUESTION_VERBS = VERBS | _set("""
have cause require contain need mean occur happen complain deny suffer lead affect prevent treat relieve
increase decrease reduce raise exist involve depend differ appear seem become get receive take work come
start stop begin suggest agree hold stand rise fall feature speak argue deserve qualify live die back
bother stem apply respond present support confirm point remain pass elapse
""")

SINGULAR = {
    "people": "person", "men": "man", "women": "woman", "children": "child", "teeth": "tooth", "feet": "foot",
    "criteria": "criterion", "phenomena": "phenomenon", "bacteria": "bacterium", "indices": "index",
    "appendices": "appendix", "matrices": "matrix", "vertebrae": "vertebra", "lives": "life", "axes": "axis",
    "diagnoses": "diagnosis", "analyses": "analysis", "hypotheses": "hypothesis", "prognoses": "prognosis",
    "metastases": "metastasis", "stenoses": "stenosis", "synopses": "synopsis", "theses": "thesis",
    "biases": "bias", "viruses": "virus", "foci": "focus", "stimuli": "stimulus",
}  # fmt: skip
UNCHANGED = _set("""
diabetes series species rabies scabies caries measles mumps herpes news always as gas lens pus yes
pancreas ascites rickets shingles sepsis
""")


def singular(word: str) -> str:
    """`word` in the singular, "" where it cannot be a noun."""
    if len(word) < 2 or word in NOT_NOUNS or word in ADJECTIVES or word in PARTICIPLES or is_adverb(word):
        return ""
    if (
        "." in word
        or is_adjective(word)
        or (word.endswith("ed") and word not in {"bed", "seed", "need", "feed"})
    ):
        return ""
    if word in SINGULAR:
        return SINGULAR[word]
    if word in UNCHANGED or word.endswith(("ss", "us", "is")) or not word.endswith("s") or len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word[:-1]


def base(word: str) -> str:
    """The spelling that the lexicon has: summarize is summarise."""
    word = word.lower()
    for american, british in (("ize", "ise"), ("yze", "yse"), ("color", "colour"), ("practice", "practise")):
        if word.endswith(american):
            return word.removesuffix(american) + british
    return {"label": "label", "labelled": "label", "distill": "distil", "deidentify": "de-identify"}.get(
        word, word
    )


def base_of_gerund(word: str) -> str:
    """summarising -> summarise, mapping -> map; "" where the lexicon has no such verb."""
    if not word.lower().endswith("ing") or len(word) < 6:
        return ""
    stem = word.lower()[:-3]
    for candidate in (stem, stem + "e", stem[:-1] if stem[-1] == stem[-2] else stem):
        if base(candidate) in VERBS:
            return base(candidate)
    return ""


def base_of_third_person(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("shes", "ches", "sses", "xes", "zes", "oes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else ""


def is_adverb(word: str) -> bool:
    word = word.lower()
    return len(word) > 4 and word.endswith("ly") and word not in VERBS and word not in NO_ADVERBS


def is_adjective(word: str) -> bool:
    return word in ADJECTIVES or (
        len(word) > 5 and word.endswith(ADJECTIVE_ENDINGS) and word not in NO_ADJECTIVES
    )
