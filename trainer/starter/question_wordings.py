"""How the base's reading asks: many plain wordings of each question, claim and heading about a passage.

`[a|b]` is a choice and may nest; see `wording.fill`. The grammar is wide on purpose: a miniature learns that
"test", "examination" and "work-up" ask for one thing only by meeting them all. No wording of the demo set
stands here.
"""

# ruff: noqa: E501

_SAY = "[Name|State|Write|Report|Find|Copy|Say|Show|Identify|Point out|Read out|Repeat|Mention|Get|Note down|Return]"
_DRUG = "[drug|medicine|medication|agent|treatment|prescription|remedy|tablet]"
_DISEASE = "[disease|condition|illness|disorder|diagnosis|health problem|problem]"
_TEST = "[test|examination|investigation|study|work-up|check|procedure|lab work or scan]"
_BEGUN = "[started|prescribed|begun|introduced|initiated|added|newly given|ordered anew|put in place]"
_NOW = "[| today| now| this time| in the plan| at the end| by the doctor| by the team]"
_ONLY = "[||||: the words only|, nothing more|, as written|, shortly]"

ASK = {
    "drug": (
        f"[Which|What] [|new ]{_DRUG} [was|is|has been] {_BEGUN}{_NOW}?",
        f"{_SAY} the {_DRUG} [that was |]{_BEGUN}{_NOW}{_ONLY}.",
        f"{_SAY} the [new|fresh|latest|just begun|current] {_DRUG}{_ONLY}.",
        f"What {_DRUG} [does|will] the patient [start|begin|get from now on|receive as new]?",
        f"[New|Fresh|Latest] {_DRUG}?",
        "What was the patient treated with?",
    ),
    "home": (
        f"[Which|What] {_DRUG} [is taken at home|did the patient already take|was taken before|was in use so far|is the long-term one|is taken regularly|does the patient usually use|serves the older illness]?",
        f"{_SAY} the [home|usual|regular|long-term|earlier|established|previous|existing|daily|old] {_DRUG}{_ONLY}.",
        f"{_SAY} the {_DRUG} [that was taken|taken|used|in use] [before|earlier|at home|until now|for the old problem|beforehand]{_ONLY}.",
        f"What {_DRUG} was the patient [on|using|taking] [before|so far|at home|until now]?",
        f"[Home|Usual|Long-term|Earlier|Old] {_DRUG}?",
    ),
    "condition": (
        f"[Which|What] {_DISEASE} [was|is|has been] [diagnosed|found|established|identified|concluded|recognised]{_NOW}?",
        f"{_SAY} the {_DISEASE} [that was |][diagnosed|found|established|identified|concluded|named]{_NOW}{_ONLY}.",
        f"{_SAY} the [new|current|actual|main|final|fresh] {_DISEASE}{_ONLY}.",
        f"What [is|was] the [diagnosis|doctor's conclusion|assessment|new {_DISEASE}|cause of the complaints]?",
        "[What|Which illness] [causes|explains|lies behind] the [complaints|symptoms|trouble]?",
        "[Diagnosis|Illness found|Main problem|What was found]?",
    ),
    "history": (
        f"[Which|What] [older|earlier|known|past|chronic|previous|long-standing] {_DISEASE} [does the patient have|is recorded|is mentioned|was there before]?",
        f"{_SAY} the [older|earlier|known|past|chronic|previous|pre-existing|background] {_DISEASE}{_ONLY}.",
        f"{_SAY} the {_DISEASE} [known|present|diagnosed] [from before|earlier|for years|in the past|long ago|previously]{_ONLY}.",
        f"From which {_DISEASE} did the patient suffer [before|already|in the past]?",
        "[Past history|Background|Older illness|What is in the history]?",
    ),
    "test": (
        f"[Which|What] {_TEST} [was|is] [ordered|done|requested|asked for|arranged|booked|planned|wanted|recommended]{_NOW}?",
        f"{_SAY} the {_TEST} [that was |][ordered|done|requested|asked for|arranged|booked|planned|wanted]{_NOW}{_ONLY}.",
        f"Which {_TEST} [will follow|does the doctor want|is next|should be done|did the team choose]?",
        "How [was|is] the patient [investigated|examined further|tested]?",
        f"[Requested|Planned|Next|Chosen] {_TEST}?",
    ),
    "weeks": (
        "[After how many weeks|In how many weeks|How many weeks until] [is the next visit|does the patient return|is the patient seen again|is the control|does the patient come again]?",
        "[How many|The number of] weeks [to|until|before] the [next visit|control visit|next appointment|return|repeat visit]?",
        f"{_SAY} the [number of weeks|weeks] [until|to|before] the [next visit|control|next appointment|repeat visit|return]{_ONLY}.",
        "When [is|will] the patient [seen again|come again]?",
    ),
    "age": ("How old is the patient?", "[Age|Years]?", "What is the age of the patient?", f"{_SAY} the [age|years] of the patient{_ONLY}."),
    "present": (
        "[What|Which symptoms] [does the patient have|brought the patient in|trouble the patient|are reported|were described|are there]?",
        f"{_SAY} the [complaints|symptoms|findings present|troubles] [of the patient|that are there|described]{_ONLY}.",
        "What does the patient [report|complain of|suffer from|describe]?",
        "[Complaints|Symptoms there|Reason for coming]?",
    ),
    "denied": (
        "[What|Which symptoms|Which findings] [does the patient deny|are absent|are missing|are denied|does the patient not have|were ruled out]?",
        f"{_SAY} the [absent|missing|denied|negative] [symptoms|findings|complaints]{_ONLY}.",
        "[Negatives|What is denied|Symptoms that are absent]?",
    ),
    "kind": ("[What|Which] [class|group|family] [is it|does the drug belong to|is the drug in]?", "[Class|Drug group]?", "What kind of drug is it?"),
    "treats": (
        "What [is it used for|does it treat|is it for|is it given for|does it help against]?",
        "[Used for|Indication|Treats what]?",
        "Which [conditions|diseases|problems] [does it treat|are treated|does it help]?",
        f"{_SAY} the [uses|indications|diseases treated]{_ONLY}.",
    ),
    "effects": (
        "[What|Which] [side effects|harms|reactions|unwanted effects] [can|may] [occur|appear|follow|come]?",
        "[Side effects|Reactions|Harms]?",
        f"{_SAY} the [side effects|reactions|harms|adverse effects]{_ONLY}.",
    ),
    "gene": ("[What|Which] gene [is this about|is described|is named|is meant]?", "Gene?", f"{_SAY} the [gene|gene symbol]{_ONLY}."),
    "product": ("What does [the gene|it] [encode|make|code for]?", "[Product|Protein]?", f"{_SAY} the [product|protein]{_ONLY}."),
    "diseases": (
        "Which [disease|diseases|illness] [is|are] [linked to|caused by|tied to] it?",
        "[Linked disease|Disease of the gene]?",
        f"{_SAY} the [linked disease|diseases caused]{_ONLY}.",
    ),
}  # fmt: skip
"""Slot of a passage -> questions and requests whose answer is what the passage states for it."""

PRESENCE = (
    "[Does|Could|Would] the [patient|person] [have|report|describe|suffer from|complain of|show|note] {name}?",
    "[Is|Was] {name} [there|present|reported|among the symptoms|described|part of the picture|something the patient has|noted as present|a complaint]?",
    "Is there {name}?",
    "[Any|Has the patient got|Is the patient troubled by|Did the patient mention having|Is the patient suffering from] {name}?",
    "[{Name}|{name}]: [is it there|present|found|does the patient have it]?",
    "[Find out|See|Say|Determine|Look up|State] [if|whether] the [patient|person] [has|reports|suffers from|complains of] {name}.",
    "[Find out|See|Say|Determine|Look up|State] [if|whether] {name} is [there|present|reported|among the symptoms].",
)
YES_OR_NO = "[ Yes or no?| (yes/no)| Yes/no.| One word.| Yes or no.| Only yes or no.|, yes or no?|]"

CLAIMS = {
    "drug": "[[The patient|This person] [was started on|begins|now gets|has been put on] {x}|{X} [was started|is new|was begun|was added]|A prescription for {x} was written|{x} is the [new|added] [drug|medicine|treatment]]",
    "home": "[The patient [takes|uses|was already on] {x}[| at home]|{X} was already [taken|in use]|{x} is [a home medicine|the usual drug|the older treatment]]",
    "condition": "[The patient was diagnosed with {x}|The [new |]diagnosis is {x}|{X} [was found|is the doctor's conclusion|explains the complaints]|The patient has {x}|This illness is {x}]",
    "history": "[The patient has a history of {x}|{X} is an older [diagnosis|problem]|{x} was known before|{X} [is long known|stands in the history]]",
    "test": "[{X} was [ordered|planned|requested]|The patient was tested with {x}|A {x} was done|The doctor wants {x}]",
    "weeks": "[The next visit is in {x} weeks|The patient returns after {x} weeks]",
    "age": "[The patient is {x} years old|The age is {x}]",
    "present": "[[The patient|This person|He or she] [has|reports|complains of|suffers from|describes|is troubled by] {x}|{X} is [present|there|reported|a complaint]|There is {x}]",
    "denied": "[The patient [denies|does not have|is free of|has no] {x}|{X} is [absent|denied|not there]|There is no {x}]",
    "treats": "[It is used for {x}|It treats {x}|{X} is a reason to give it]",
    "effects": "[It can cause {x}|{X} is a side effect|One harm is {x}]",
    "gene": "[The gene is {x}|The text is about {x}]",
    "diseases": "[It is linked to {x}|{X} is caused by it|Variants cause {x}]",
}
"""Slot -> statements about it, true of the passage when {x} is what it states."""

VERDICTS = (
    ("supported", "contradicted", "not in the text"),
    ("supported", "contradicted", "not mentioned"),
    ("supported", "refuted", "no information"),
    ("true", "false", "cannot tell"),
    ("right", "wrong", "not stated"),
    ("correct", "incorrect", "unknown"),
    ("agrees", "disagrees", "not covered"),
    ("backed", "contradicted", "not mentioned"),
    ("entailed", "contradicted", "neutral"),
)
"""What is said of a statement that is true, false or neither by the passage."""
CLAIM_LEADS = (
    "Statement: {claim}.",
    "{claim}.",
    "Claim: {claim}.",
    "[{a}, {b} or {c}|{a}, {b}, {c}|{a} / {b} / {c}]? {claim}.",
    "{claim}. [{A}, {b} or {c}|{A}, {b}, {c}]?",
    "[By|From|Judging by|Given|Going by] the [text|passage|report|lines], is [this|it|the remark|the line] [{a}, {b} or {c}|{a}, {b}, or {c}]? {claim}.",
    "[Mark|Call|Grade|Tag|Sort] the [sentence|line|remark|statement] [as |]{a}, {b} or {c}: {claim}.",
    "[Remark|Line|Someone says|Sentence|To check]: {claim}. [Write|Say|Put|Pick] {a}, {b} or {c}.",
)
STATES = (
    ("present", "absent", "not mentioned"),
    ("yes", "no", "not stated"),
    ("yes", "no", "unknown"),
    ("Yes", "No", "not mentioned"),
    ("there", "denied", "unknown"),
    ("reported", "denied", "not stated"),
    ("+", "-", "?"),
    ("positive", "negative", "unknown"),
)
"""What is said of a finding that is present, denied or not mentioned."""

LISTING = "[List|Collect|Show|Find|Write|Mark|Get|Note|Gather|Name] [all|every one of|each of|] "
ENTITY_HEADS = "[Names in the text|Terms|Tagged terms|Index|Concepts|Key terms|Names and types|{listing}the [terms|names|medical terms|concepts|entities] [with their kind|and what each is|and their types|by kind]]"
STATE_HEADS = "[Findings by state|What is there and what is not|Positives and negatives|{listing}the [symptoms|findings|complaints], [there or not|present and absent|with their state]]"
SUMMARY_HEADS = "[In short|Summary|Sum|Briefly|Handover|To sum up|[Write|Give|Make|Say|Draft|Report] [it|this|the case|all of it] [shortly|in one line|in a nutshell|in brief|as a summary]|[A|The] [short|brief|one-line] [summary|version|account]]"
PATIENT_HEADS = "[To the patient|Dear patient|In plain words|[Write|Say|Tell|Give|Draft|Explain|Put] [it|this|the case|all of it] [to|for] [the patient|a lay person] [simply|in plain words|in simple terms|in easy language|without jargon]|For the patient|[A|The] [letter|note|message] [to|for] the patient]"
