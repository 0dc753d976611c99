"""The sentences of the demo set's passages, each with a tuning part and a held-out part that only the test uses.

Nothing here stands in the base's training text, and no sentence is on both sides. Choices and slots are those
of `wording.fill`.
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
            "[In the {specialty} clinic|At this visit] {aged} {person} [tells of|describes|complains of] {present}.",
            "[Today|This time] {aged} {person} [comes in|is here] [because of|for|with] {present}.",
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
            "[Asked about it, {he} has no|{He} is without|{He} does not complain of] {either}.",
            "[No|Without|Nothing suggests] {either}.",
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
            "[The record mentions|The file names|Known from before is] {history}, [and {he} takes|treated with|kept in check by] {home}.",
            "{He} [suffers from chronic|was told years ago of] {history} and [stays on|keeps taking] {home}.",
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
            "[The doctor asks for|A request is made for|Also planned is|It is decided to do] {test}.",
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
            "[All this fits|The doctor settles on|Everything speaks for|The picture is one of] {condition}.",
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
            "[The doctor adds|The doctor starts|{He} is given|{He} will now take] {drug}[| as a new medicine| from today on].",
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
            "[A control|A further visit|Another appointment] is [due|set|arranged] in {weeks} weeks.",
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
