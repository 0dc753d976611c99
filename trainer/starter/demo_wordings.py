"""Every wording of the demo set, each with a tuning part and a held-out part that is used in the test only.

`Wordings(tune, test)`: instructions of a task, or sentences of a passage. Nothing here stands in the base's
training text, and no wording is on both sides. Choices and slots are those of `wording.fill`.
"""

# ruff: noqa: E501

from typing import NamedTuple


class Wordings(NamedTuple):
    tune: tuple[str, ...]
    test: tuple[str, ...]


NOTE = {
    "present": Wordings(
        (
            "{Aged} {person} [presents|attends|arrives] with {present}.",
            "[Main complaint|Reason for the visit] in {aged} {person}: {present}.",
            "{Aged} {person} is seen in the {specialty} clinic with {present}.",
            "A referral letter describes {aged} {person} troubled by {present}.",
            "{Aged} {person} reports {present} at today's visit.",
            "The consultation concerns {aged} {person} who has had {present}.",
        ),
        (
            "{Aged} {person} came to {specialty} outpatients and described {present}.",
            "Today's appointment is for {aged} {person} bothered by {present}.",
        ),
    ),
    "denied": Wordings(
        (
            "{He} [has no|reports no|is free of] {either}.",
            "[Not present|Denied]: {either}.",
            "{He} denies any {either}.",
            "There has been no {either}.",
            "On direct questioning {he} does not report {either}.",
        ),
        (
            "When asked, {he} denied having {either}.",
            "There is no {either} at present.",
        ),
    ),
    "history": Wordings(
        (
            "[Known|Long-standing] {history}, [treated with|on] {home}.",
            "{He} [also has|has had] {history} and [uses|is on|continues] {home}.",
            "Previous problems include {history}, managed with {home}.",
            "{He} has lived with {history} for years and takes {home}.",
            "For {history} {he} already uses {home}.",
        ),
        (
            "{He} has established {history} and is maintained on {home}.",
            "The chart lists {history}, for which {he} takes {home}.",
        ),
    ),
    "test": Wordings(
        (
            "[Ordered|Planned|To follow]: {test}.",
            "[Next|First] comes {test}.",
            "The clinician orders {test}.",
            "To look further, {test} is requested.",
            "Work-up today: {test}.",
        ),
        (
            "The plan includes {test}.",
            "The doctor arranges {test}.",
        ),
    ),
    "condition": Wordings(
        (
            "[Diagnosis|Conclusion|Impression]: {condition}.",
            "{He} is [found|thought] to have {condition}.",
            "The assessment is {condition}.",
            "The working diagnosis is {condition}.",
            "This is judged to be {condition}.",
        ),
        (
            "The clinical picture is that of {condition}.",
            "The doctor concludes that this is {condition}.",
        ),
    ),
    "drug": Wordings(
        (
            "[New drug|Added to treatment]: {drug}.",
            "{He} [now receives|gets] {drug} as [a new|additional] treatment.",
            "{He} is started on {drug}.",
            "A new prescription for {drug} is given.",
            "Treatment begins with {drug}.",
        ),
        (
            "The doctor prescribes {drug} as the new medicine.",
            "{He} begins treatment with {drug} today.",
        ),
    ),
    "weeks": Wordings(
        (
            "[Follow-up|Next visit] in {weeks} weeks.",
            "{He} is [seen|asked to return] again [after|in] {weeks} weeks.",
            "Review is planned in {weeks} weeks.",
            "{He} will come back in {weeks} weeks.",
        ),
        ("A repeat visit is booked in {weeks} weeks.",),
    ),
}

LABEL = Wordings(
    (
        "Product note: {drug} is a member of the class {kind}. It is indicated for {treats}. Reported reactions include {effects}.",
        "The pharmacist explains that {drug} ({kind}) is meant for {treats}, and that it may provoke {effects}.",
        "In {treats}, clinicians may choose {drug}, which belongs to the group {kind}. Reactions to know: {effects}.",
    ),
    (
        "Formulary entry: {drug}, class {kind}, licensed for {treats}. Possible reactions are {effects}.",
        "The leaflet says that {drug} is given for {treats}. As {kind} it can produce {effects}.",
    ),
)

GENE = Wordings(
    (
        "The report states that {gene}, which encodes {product}, is implicated in {diseases}.",
        "Sequencing covered {gene}. This gene encodes {product}, and harmful variants lead to {diseases}.",
        "Patients with {diseases} may carry variants in {gene}, the gene for {product}.",
    ),
    (
        "According to the laboratory, {gene} (the gene for {product}) accounts for cases of {diseases}.",
        "The panel includes {gene}. Its product is {product}, and faulty copies give rise to {diseases}.",
    ),
)

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
    ),
    (
        "Does the text back this up? Pick supported, contradicted or not mentioned. {claim}",
        "Using nothing but the record, mark the sentence supported, contradicted or not mentioned.\nSentence: {claim}",
    ),
)
CLAIMS = {
    "finding": Wordings(
        ("The patient has {name}.", "This person reports {name}."), ("The patient is suffering from {name}.",)
    ),
    "drug": Wordings(
        ("{Name} is the newly started medicine.", "The new treatment is {name}."),
        ("Today {name} was newly prescribed.",),
    ),
    "condition": Wordings(
        ("The current diagnosis is {name}.", "The problem today is {name}."),
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
    ),
    (
        "Draft two easy sentences on this medicine for someone who takes it.",
        "Put this drug information into lay terms.",
    ),
)
