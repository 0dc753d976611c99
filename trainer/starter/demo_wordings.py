"""How the demo set asks: the instructions of every task, each with a tuning and a held-out part.

Nothing here stands in the base's training text, and no wording is on both sides. Choices and slots are those
of `wording.fill`; the sentences of the passages are in `demo_passages.py`.
"""

# ruff: noqa: E501

from trainer.starter.demo_passages import Wordings

# Every task is asked for with the same verbs, so that no verb alone gives a task away.
_SAY = "[Give|Write|State|Report|Tell me|Say|Name|Note|Return|Provide|Show|Produce|Prepare|Find|Pick out|List|Put down|Supply|Draft|Extract]"
_WRITE = "[Give|Write|State|Report|Tell me|Say|Return|Provide|Show|Produce|Put down|Supply]"
_NOTE = "[note|record|passage|text|report|visit|case|entry]"


def _short(thing: str) -> tuple[str, ...]:
    """Requests for one thing that the note names, as in "the drug that is new"."""
    return (
        f"{_SAY} {thing}[|, nothing else| and no more|, in as few words as you can|, copied from the {_NOTE}].",
        f"{_SAY} [me |][only|just] {thing}[| here| please|, as it stands in the {_NOTE}].",
        f"What is {thing}? [Only the answer|No sentence|Words of the {_NOTE} only|Be brief|Just that].",
        f"[From|According to|By] the {_NOTE}: {thing}?",
        f"I [need|want|look for|would like] {thing}[| and nothing more| from this {_NOTE}].",
        f"[Look up|Search for|Identify|Read out] {thing} [in|from] the {_NOTE}.",
        f"[Q|Question|Wanted|To find]: {thing}.",
    )


def _pick(thing: str) -> tuple[str, ...]:
    """Requests for the one option that is such a thing."""
    return (
        f"{_SAY} [the option|the choice|the one of the options|the entry of the list] that is {thing}.",
        f"[Which|What] [of these|of the options|option|choice] is {thing}?",
        f"[One of the options|One choice|One entry] is {thing}. [Which|Which one|Say which|Name it|Repeat it].",
        f"[By|From|According to] the {_NOTE}, [select|pick|copy|take] [the option|what] [that is|which is] {thing}.",
        f"Multiple choice: {thing}[?|.| by the {_NOTE}?]",
    )


_SHORT_DRUG = "the [drug|medicine|medication|agent|treatment] [that was started|that is new|newly prescribed|begun at this visit|started now|just added|introduced by the doctor|to begin with from now on]"
_SHORT_HOME = "the [drug|medicine|medication|treatment] [used all along|taken already|from before|of the older illness|taken for years|the patient came with|in use until now|taken regularly]"
_SHORT_CONDITION = "the [disease|illness|condition|diagnosis|disorder] [that was diagnosed|established now|of this visit|behind the symptoms|the doctor settles on|identified now|concluded at the end]"
_SHORT_HISTORY = "the [disease|illness|condition|disorder] [from the past|that was there already|known for long|of earlier years|in the medical history|that is chronic|the patient has had before]"
_SHORT_TEST = "the [test|investigation|work-up|study|examination] [that was ordered|planned next|the doctor wants|requested now|to be done|arranged at this visit]"
_SHORT_WEEKS = "the [number of weeks|count of weeks|weeks, as a number,] [to the next visit|until review|till the follow-up|before the patient comes back|to the repeat appointment]"


YES_NO = Wordings(
    (
        "[Does|Would you say that] the patient in this note [suffer from|have|report] {name}? [Yes or no|Answer yes or no|One word, yes or no].",
        "[Tell me|Say|Judge|Indicate] [from the passage|by the visit note] whether {name} is [there|a problem here]. [Only yes or no|Yes or no, please].",
        "[Has|Did] {name} [come up as a symptom|bother the person described]? [Write|Reply] yes or no.",
        "{name}: [present or denied|does this person have it]? [Answer|Reply] with yes or no [only|alone].",
        "Read the note. Is {name} present in this patient? Answer yes or no.",
        "According to the note below, does this person have {name}? Reply with yes or no.",
        "Decide from the note whether {name} is present. Say yes or no.",
        "Yes or no: the note says that the patient has {name}.",
        "Was {name} reported by the patient in this note? Answer with one word, yes or no.",
        "Check the record for {name}. Write yes if the patient has it and no if it is denied.",
        f"[Yes or no|yes/no|Only yes or no|In one word, yes or no]: [does|would] the [patient|person] of this {_NOTE} [have|show|complain of|describe] {{name}}?",
        f"{_WRITE} yes if the {_NOTE} [says that the patient has|reports|lists as present] {{name}}, otherwise no.",
        f"{_WRITE} yes or no: is {{name}} [there|present|reported|something the patient has]?",
        "The question is whether [the patient|this person] [has|reports|complains of] {name}. [Yes or no|yes/no]?",
        "[Is|Was] {name} [described|noted|found|complained of] [by|in] this [person|patient]? [Choose|Write|Say|Return] yes or no.",
        "{Name}: yes or no[?|, by the text?|, for this patient?]",
        "Is it [true|so|correct] that the [patient|person] [has|reports] {name}? [Answer|Say|Tell me|Write] yes or no.",
        f"[Statement|Say|Suppose]: the patient [has|reports|describes] {{name}}. [Is that so|Does the {_NOTE} say so|True]? yes or no.",
        f"[Determine|Find out|See|Tell me] if {{name}} is [reported|present|a complaint] in the {_NOTE}, yes or no.",
    ),
    (
        "From the text below, state whether the patient is experiencing {name}. Respond yes or no.",
        "Is {name} among the patient's complaints? Give yes or no.",
        "Does the record confirm {name}? yes or no",
    ),
)
CLAIM = Wordings(
    (
        "[Look at|Check|Weigh] this [claim|remark] against the [passage|visit note]. [Choose|Write|Say] supported, contradicted or not mentioned. {claim}",
        "{claim} [Is that|Would you call that] supported, contradicted or not mentioned by the [passage|visit note]?",
        "[Label|Classify|Rate] the [claim|assertion] as supported, contradicted or not mentioned, [relying on|going by] the [note|passage].\n[Claim|Assertion]: {claim}",
        "One label for this [claim|assertion], please: supported, contradicted, or not mentioned.\n{claim}",
        "Compare the statement with the note and answer supported, contradicted or not mentioned.\nStatement: {claim}",
        "Judge the statement by the note alone. Answer with supported, contradicted or not mentioned.\nStatement: {claim}",
        "Is the following statement supported, contradicted or not mentioned in the note?\nStatement: {claim}",
        "Read the note and label this sentence as supported, contradicted or not mentioned: {claim}",
        "Fact check against the record (supported, contradicted or not mentioned): {claim}",
        f"{_WRITE} supported, contradicted or not mentioned for this [claim|sentence|line|statement], [by|from|according to] the {_NOTE}: {{claim}}",
        f"{_WRITE} one of supported, contradicted, not mentioned.\n[Claim|Line|Remark|To judge]: {{claim}}",
        "[Would you say supported|Is it supported], contradicted or not mentioned? {claim}",
        "{claim} [Which holds: supported, contradicted or not mentioned|supported / contradicted / not mentioned]?",
        f"[How does|What does] the {_NOTE} [stand to|say of] [this|the line|the claim]: supported, contradicted or not mentioned? {{claim}}",
        f"[Verify|Test|Examine|Judge] the [line|claim|remark] [with|by|against] the {_NOTE}. [The answer is|Say|Use|Put] supported, contradicted or not mentioned.\n{{claim}}",
        f"Do the {_NOTE} and this [line|remark] agree? [Use|Say|Write|Take] supported, contradicted or not mentioned. {{claim}}",
        f"[Someone|A student|A nurse|A colleague] [says|claims|writes]: {{claim}} [By the {_NOTE} this is|Is that] supported, contradicted or not mentioned?",
        "[Natural language inference|Entailment|Consistency check]. [Hypothesis|Claim]: {claim} [Label|Answer|Verdict]: supported, contradicted or not mentioned?",
    ),
    (
        "Does the text back this up? Pick supported, contradicted or not mentioned. {claim}",
        "Using nothing but the record, mark the sentence supported, contradicted or not mentioned.\nSentence: {claim}",
    ),
)
CLAIMS = {
    "finding": Wordings(
        (
            "The patient has {name}.",
            "This person reports {name}.",
            "[{Name} is [a complaint|present|one of the symptoms]|[Here|In this case] there is {name}].",
            "The [patient|person] [complains of|describes|feels or shows|came with] {name}.",
            "[The symptoms include {name}|{Name} is something the patient feels or shows].",
        ),
        ("The patient is suffering from {name}.",),
    ),
    "drug": Wordings(
        (
            "{Name} is the newly started medicine.",
            "The new treatment is {name}.",
            "[The patient [starts|will now take|begins] {name}|{Name} [was started|is a new prescription|was added]].",
            "The doctor [started|added|gave] {name} as new.",
        ),
        ("Today {name} was newly prescribed.",),
    ),
    "condition": Wordings(
        (
            "The current diagnosis is {name}.",
            "The problem today is {name}.",
            "[The doctor [diagnosed|concludes|found] {name}|{Name} [was diagnosed|is the new diagnosis|explains the visit]].",
            "The [illness|condition] [of this visit|behind the complaint] is {name}.",
        ),
        ("Today's diagnosis is {name}.",),
    ),
}
CHOICE = {
    "drug": Wordings(
        (
            "[Mark|Find|Take] the option that [is|shows] the [newly added|just started] [drug|medicine|treatment].",
            "[What|Which one] was [given as a new treatment|added to the treatment]? [Answer with one option|Pick from the list].",
            "[Tell me|Say] which of the options is the [fresh|new] prescription.",
            "Which medicine is newly started in this note? Choose one option.",
            "Pick the drug that was added at this visit.",
            "Select the new prescription from the options.",
            *_pick(_SHORT_DRUG),
        ),
        ("Choose the medicine that the patient begins now.", "Which option names the drug prescribed today?"),
    ),
    "condition": Wordings(
        (
            "[Mark|Find|Take] the option that [is|shows] the [disease diagnosed|new diagnosis].",
            "[What|Which one] is the [doctor's conclusion|working diagnosis]? [Answer with one option|Pick from the list].",
            "[Tell me|Say] which of the options the [clinician|physician] takes the illness to be.",
            "Which condition is diagnosed at this visit? Choose one option.",
            "Pick the new diagnosis from the options.",
            "Select the condition that explains the present complaint according to the note.",
            *_pick(_SHORT_CONDITION),
        ),
        ("Choose the diagnosis that the doctor makes now.", "Which option names today's diagnosis?"),
    ),
    "home": Wordings(
        (
            "[Mark|Find|Take] the option that [is|shows] the [usual|earlier|regular] [drug|medicine].",
            "[What|Which one] was [already being taken|in use for the older illness]? [Answer with one option|Pick from the list].",
            "[Tell me|Say] which of the options the patient [took all along|was using already].",
            "Which medicine did the patient use before this visit? Choose one option.",
            "Pick the drug that is taken for the older problem.",
            *_pick(_SHORT_HOME),
        ),
        ("Choose the medicine that the patient was on beforehand.", "Which option names the long-term drug?"),
    ),
}
SHORT = {
    "drug": Wordings(
        (
            "[Write|Tell me|Report|Put down] the [new|newly begun|added] [medicine|drug|treatment] [only|and nothing else|without explanation].",
            "[What|Which drug] [was prescribed anew|did the doctor add|does the patient begin]? [Name only|Just the name|A short answer].",
            "[New|Newly started] [drug|medicine]?",
            "Find the [drug|medicine] that is [started|introduced] in this note and [copy|write] its name.",
            "Name the medicine started at this visit.",
            "State the newly prescribed drug only.",
            *_short(_SHORT_DRUG),
        ),
        ("Give the name of the drug begun today.",),
    ),
    "home": Wordings(
        (
            "[Write|Tell me|Report|Put down] the [usual|earlier|regular] [medicine|drug] [only|and nothing else|without explanation].",
            "[What|Which drug] [was the patient already on|had been used for the older illness]? [Name only|Just the name|A short answer].",
            "[Regular|Usual|Home] [drug|medicine]?",
            "Find the [drug|medicine] that was [in use already|taken for the earlier illness] and [copy|write] its name.",
            "Name the medicine the patient already used.",
            "State only the long-term medicine.",
            *_short(_SHORT_HOME),
        ),
        ("Give the name of the drug taken before this visit.",),
    ),
    "condition": Wordings(
        (
            "[Write|Tell me|Report|Put down] the [new|current|present] [diagnosis|illness] [only|and nothing else|without explanation].",
            "[What|Which disease] [was diagnosed|does the doctor conclude|explains the complaint]? [Name only|Just the name|A short answer].",
            "[New|Present] [diagnosis|illness]?",
            "Find the [disease|condition] that is [diagnosed|concluded] in this note and [copy|write] its name.",
            "State today's diagnosis in as few words as possible.",
            "Name the condition diagnosed at this visit.",
            *_short(_SHORT_CONDITION),
        ),
        ("Give the name of the disease found today.",),
    ),
    "history": Wordings(
        (
            "[Write|Tell me|Report|Put down] the [earlier|chronic|previous] [illness|disease|problem] [only|and nothing else|without explanation].",
            "[What|Which disease] [did the patient already have|stands in the history|was there before]? [Name only|Just the name|A short answer].",
            "[Past|Earlier] [illness|medical history]?",
            "Find the [disease|condition] that is [long known|part of the history] and [copy|write] its name.",
            "Name the older condition of this patient.",
            "State which long-standing disease is recorded.",
            *_short(_SHORT_HISTORY),
        ),
        ("Give the name of the disease known from before.",),
    ),
    "test": Wordings(
        (
            "[Write|Tell me|Report|Put down] the [test|investigation|work-up] [only|and nothing else|without explanation].",
            "[What|Which test] [was ordered|will be done|does the doctor want]? [Name only|Just the name|A short answer].",
            "[Planned|Ordered] [test|investigation]?",
            "Find the [test|investigation] that is [ordered|planned] in this note and [copy|write] its name.",
            "Name the investigation that was requested.",
            "State only the test that is planned.",
            *_short(_SHORT_TEST),
        ),
        ("Give the name of the examination asked for.",),
    ),
    "weeks": Wordings(
        (
            "[Write|Tell me|Report] [how many weeks remain until|in how many weeks is] the [next visit|review|follow-up]. [Number only|Digits only].",
            "[When|In how many weeks] is the [follow-up|review|next visit]? [Just the number|Digits only] [of weeks|, in weeks].",
            "[Weeks|Number of weeks] to [follow-up|the next visit]?",
            "After how many weeks does the patient come back? Answer with a number.",
            "State the weeks until review as a number.",
            *_short(_SHORT_WEEKS),
        ),
        ("Give the number of weeks until the patient is seen again.",),
    ),
}
NER = Wordings(
    (
        "[Find|Collect|Tag|Note] [all|the] findings, conditions, drugs and tests [of|in] this [note|passage] and [write|give] them as type: text, [one a line|line by line].",
        "[Tabulate|Lay out] what the [note|passage] names: finding, condition, drug or test, then a colon and the text.",
        "Extract the named entities from the note, one per line as type: text. Types are finding, condition, drug and test.",
        "List every finding, condition, drug and test in order of appearance. Write one line each, type: text.",
        "Annotate the clinical text. Output lines of the form type: text with the types finding, condition, drug, test.",
        "Which findings, conditions, drugs and tests does the note name? Give one type: text line for each.",
        "Named entity recognition: write type: text lines (finding, condition, drug, test) for the passage.",
        "Go through the record and put each finding, condition, drug and test on its own line as type: text.",
        f"{_SAY} [all|the|each of the] [entities|names|terms] of this {_NOTE} as type: text, [one a line|each on a line of its own]; types: finding, condition, drug, test.",
        f"{_SAY} type: text for [every|each] finding, condition, drug and test of the {_NOTE}[, line by line|, one below the other].",
        f"[What|Which] findings, conditions, drugs and tests [stand in|are in|occur in] the {_NOTE}? [Lines|One line each] of type: text.",
    ),
    (
        "Pull out all findings, conditions, drugs and tests. Use the form type: text, a new line for each.",
        "Mark up the entities of this record as lines reading type: text, where type is finding, condition, drug or test.",
        "Produce type: text lines covering each drug, test, finding and condition found here.",
    ),
)
STATUS = Wordings(
    (
        "[Go through|Check] the [symptoms|findings] one by one and [write|note] present: text or absent: text for each.",
        "[Which symptoms|Which findings] are [there|reported] and which are denied? [Use|Write] lines present: text and absent: text.",
        "Sort the findings of the note into present and absent. Write lines such as present: text or absent: text.",
        "For each symptom in the note write present: text or absent: text on its own line.",
        "Detect negation. One line per finding, present: text if the patient has it, absent: text if it is denied.",
        "List the findings with their status, one per line, as present: text or absent: text.",
        f"{_SAY} [every|each] [symptom|finding|complaint] of the {_NOTE} as present: text or absent: text[, one a line|, line by line].",
        f"{_SAY} [lines|a list] of present: text and absent: text for the [symptoms|findings] of this {_NOTE}.",
        f"[Present or absent|Which are present, which absent]? {_SAY} present: text, absent: text, [a line each|one below the other].",
    ),
    (
        "Say for every complaint in the record whether it is there. Lines read present: text or absent: text.",
        "Separate what the patient has from what is denied, in lines of present: text and absent: text.",
    ),
)
LABEL_IE = Wordings(
    (
        "[Pick out|Collect|List] the [drug|medicine], what it [treats|is for] and what it can [cause|provoke], as drug: text, condition: text and effect: text, one a line.",
        "[Tabulate|Lay out|Annotate] this [drug|product] text: one line for the drug, one for each condition, one for each effect, as type: text.",
        "[Go through|Read] the [drug|product] text and write drug: text, condition: text, effect: text lines [in order|one by one].",
        "Extract the drug, each condition it treats and each effect. Write lines of drug: text, condition: text, effect: text.",
        "Turn the drug text into lines: drug: text, then condition: text, then effect: text.",
        "From this product text list drug, conditions and adverse effects, one type: text line each (drug, condition, effect).",
        "Structure the paragraph as lines labelled drug, condition and effect.",
        f"{_SAY} the drug, the conditions and the effects of this text as [lines of|] drug: text, condition: text, effect: text.",
        f"[What|Which] drug, conditions and effects [are in|stand in] the text? {_SAY} drug: text, condition: text, effect: text[, one a line|].",
    ),
    (
        "Break the text down into lines that begin with drug, condition or effect, in that order.",
        "Record the medicine, its uses and its reactions as drug: text, condition: text and effect: text lines.",
    ),
)
GENE_IE = Wordings(
    (
        "[Pick out|Collect|Note] the gene and [each|every] disease [tied to|that goes with] it: gene: text, then disease: text, [one a line|line by line].",
        "[Tabulate|Annotate] the [report|text]: a gene: text line, then a disease: text line for each disease.",
        "Extract the gene and its diseases as lines of gene: text and disease: text.",
        "Which gene and which diseases are related in the text? Write gene: text, then disease: text lines.",
        "Relation extraction: give the gene: text line and one disease: text line for each linked disease.",
        "List gene and disease names from the report, one type: text line each, gene first.",
        f"{_SAY} the gene and its diseases [as|in] lines of gene: text, disease: text.",
        f"[What|Which] gene and diseases [are in|stand in] this text? {_SAY} gene: text and disease: text[, one a line|].",
    ),
    (
        "Write down the gene and whatever it causes in lines of gene: text and disease: text.",
        "Link the gene to disease in this report: a gene: text line followed by disease: text lines.",
    ),
)
SUMMARY = Wordings(
    (
        "[Sum up|Shorten|Compress|Abridge] the [note|visit|case] [to|into] [one|a single] sentence.",
        "[One-sentence|Single-sentence] [summary|version|digest] of this [note|case|visit], please.",
        "[Tell a colleague|Report] in [one|a single] sentence what this [note|case] is about.",
        "What [is this case about|was found and done]? [One sentence|A single sentence], for [doctors|the team].",
        "Summarise the note in one sentence.",
        "Write a one-sentence handover of this note.",
        "Condense the note into a single sentence for a colleague.",
        "Give a brief summary of this visit in one sentence.",
        "Put the consultation into one sentence.",
        f"{_WRITE} [me |]a [summary|short version|digest|handover] of [the|this] {_NOTE} [in one sentence|of one sentence][| for a colleague| for the team].",
        f"{_WRITE} in one sentence [what the {_NOTE} says|what happened|who came and what was done].",
        f"[The|This] {_NOTE} in [one|a single] sentence[, please|.|:]",
    ),
    (
        "Boil the record down to one sentence for the ward round.",
        "In one sentence, what happened at this appointment?",
    ),
)
PATIENT = Wordings(
    (
        "[Write to|Inform|Address] the patient in [simple|everyday|plain] [words|language] about [this visit|what was found].",
        "[Put|Translate] the [note|case] into [words that a patient understands|everyday language] for the patient.",
        "A [plain|simple|friendly] [message|note] to the patient about [this visit|what was found], please.",
        "Explain the visit to the patient in plain words.",
        "Write a short message to the patient about this visit in everyday language.",
        "Turn the note into simple advice for the patient.",
        "Rewrite this note for the patient without medical jargon.",
        "Tell the patient in easy words what was found and what to do.",
        f"{_WRITE} [a message|a letter|a text|a few words] [for|to] the patient [about|on|from] [the|this] {_NOTE} in [plain|simple|easy|everyday] [words|language].",
        f"{_WRITE} [the|this] {_NOTE} [again |][for|to] the patient, [in plain words|without jargon|in everyday words|so that anyone understands].",
        "[How|In what words] [would you|do I] [tell|explain] [this|it] to the patient? [Plain words|Simple language|No jargon].",
    ),
    (
        "Prepare an easy-to-read letter for the patient from this record.",
        "How would you put this record to the patient in lay terms?",
    ),
)
LEAFLET = Wordings(
    (
        "[Tell|Inform] [a patient|someone] in two [plain|simple] sentences what this [drug|medicine] is for and what it can [cause|do].",
        "[Turn|Rewrite] the [product text|drug text] into [plain|everyday] language for [patients|a leaflet].",
        "A [short|two-sentence] [leaflet|patient note] on this [drug|medicine], please.",
        "Write a plain two-sentence leaflet about this drug.",
        "Explain the medicine to a patient in two short sentences.",
        "Make a patient instruction from this drug text.",
        "Describe this drug for a lay reader.",
        f"{_WRITE} [a leaflet|two sentences|patient advice] [about|on] this [drug|medicine] in [plain|simple|easy] [words|language].",
        "[What|How] [should|must] a patient [know|be told] about this [drug|medicine]? Two [plain|simple|short] sentences.",
    ),
    (
        "Draft two easy sentences on this medicine for someone who takes it.",
        "Put this drug information into lay terms.",
    ),
)
