"""Pairs no careful clinician would write together, so that no made-up note shows a dangerous prescription.

A short list of well-known contra-indications between drug classes, and between a class and an older
condition. It serves the made-up notes only: it is no interaction checker.
"""

from trainer.starter.facts import Drug

NSAIDS = {"nonsteroidal anti-inflammatory drug", "COX-2 inhibitor"}
SEROTONERGIC = {
    "selective serotonin reuptake inhibitor",
    "serotonin-norepinephrine reuptake inhibitor",
    "tricyclic antidepressant",
    "tetracyclic antidepressant",
    "norepinephrine-dopamine reuptake inhibitor",
    "triptan",
}
BLOOD_THINNERS = {
    "vitamin K antagonist",
    "factor Xa inhibitor",
    "direct thrombin inhibitor",
    "low molecular weight heparin",
    "thrombolytic",
    "antiplatelet",
    "P2Y12 inhibitor",
}
RATE_SLOWING = {
    "beta blocker",
    "calcium channel blocker",
    "antiarrhythmic",
    "cardiac glycoside",
    "alpha and beta blocker",
}
IMMUNE = {
    "TNF inhibitor",
    "JAK inhibitor",
    "IL-6 receptor antibody",
    "IL-17A antibody",
    "IL-12/23 antibody",
    "integrin antibody",
    "anti-CD20 antibody",
    "purine antagonist",
    "antifolate",
    "S1P receptor modulator",
    "pyrimidine synthesis inhibitor",
    "anti-BLyS antibody",
    "inosine monophosphate dehydrogenase inhibitor",
    "calcineurin inhibitor",
}
RENIN = {"ACE inhibitor", "angiotensin receptor blocker", "neprilysin inhibitor combination"}
OPIOID = {"opioid agonist", "opioid antagonist", "partial opioid agonist"}
ENZYME_BLOCKING = {
    "macrolide antibiotic",
    "imidazole antifungal",
    "triazole antifungal",
    "protease inhibitor",
}
ANTIPSYCHOTIC = {"second-generation antipsychotic", "first-generation antipsychotic"}

CLASH = (
    ({"nitrate"}, {"phosphodiesterase 5 inhibitor"}),
    ({"MAO-B inhibitor"}, SEROTONERGIC | OPIOID | {"stimulant", "norepinephrine reuptake inhibitor"}),
    (SEROTONERGIC, SEROTONERGIC | {"oxazolidinone antibiotic", "stimulant"}),
    (NSAIDS, NSAIDS | BLOOD_THINNERS | RENIN | {"mood stabilizer", "antifolate", "glucocorticoid"}),
    (BLOOD_THINNERS, BLOOD_THINNERS),
    (
        RATE_SLOWING,
        RATE_SLOWING | {"funny current inhibitor", "S1P receptor modulator", "cholinesterase inhibitor"},
    ),
    (IMMUNE, IMMUNE),
    (RENIN, RENIN | {"potassium binder"}),
    (OPIOID, OPIOID | {"sedative-hypnotic"}),
    (ENZYME_BLOCKING, {"statin", "vitamin K antagonist", "factor Xa inhibitor", "antiarrhythmic"}),
    ({"rifamycin antibiotic"}, BLOOD_THINNERS | {"protease inhibitor", "integrase inhibitor"}),
    ({"dopamine agonist", "dopamine precursor combination"}, ANTIPSYCHOTIC),
    (
        {"sulfonamide antibiotic combination"},
        {"antifolate", "vitamin K antagonist", "aldosterone antagonist"} | RENIN,
    ),
    ({"mood stabilizer"}, RENIN | {"thiazide diuretic", "thiazide-like diuretic", "loop diuretic"}),
    (
        {"fluoroquinolone antibiotic", "macrolide antibiotic"},
        ANTIPSYCHOTIC | {"antiarrhythmic", "opioid agonist"},
    ),
    ({"xanthine oxidase inhibitor"}, {"purine antagonist"}),
    ({"aldosterone antagonist"}, RENIN | {"nonsteroidal mineralocorticoid receptor antagonist"}),
    ({"VMAT2 inhibitor"}, {"MAO-B inhibitor"}),
)
AVOID = {
    "asthma": {"beta blocker", "alpha and beta blocker"},
    "chronic obstructive pulmonary disease": {"beta blocker", "alpha and beta blocker"},
    "heart failure": NSAIDS | {"calcium channel blocker", "thiazolidinedione", "TNF inhibitor"},
    "chronic kidney disease": NSAIDS | {"biguanide", "bisphosphonate", "mood stabilizer", "antifolate"},
    "epilepsy": {"norepinephrine-dopamine reuptake inhibitor"},
    "hypertension": NSAIDS | {"mineralocorticoid", "beta-3 agonist"},
    "stable angina": {"triptan", "stimulant", "phosphodiesterase 5 inhibitor"},
    "peripheral artery disease": {"triptan", "beta blocker"},
    "major depressive disorder": {"VMAT2 inhibitor"},
    "ulcerative colitis": NSAIDS,
    "Crohn disease": NSAIDS,
    "gastroesophageal reflux disease": NSAIDS | {"bisphosphonate"},
    "psoriasis": {"beta blocker", "mood stabilizer", "aminoquinoline"},
    "gout": {"thiazide diuretic", "thiazide-like diuretic"},
    "type 2 diabetes": {"thiazide diuretic"},
    "atrial fibrillation": {"bisphosphonate"},
    "open-angle glaucoma": {"antimuscarinic", "tricyclic antidepressant", "glucocorticoid"},
    "hemophilia A": BLOOD_THINNERS | NSAIDS,
    "immune thrombocytopenia": BLOOD_THINNERS | NSAIDS,
    "peptic ulcer disease": BLOOD_THINNERS | NSAIDS | {"glucocorticoid"},
    "acute pyelonephritis": NSAIDS,
    "malaria": {"TNF inhibitor"},
    "tuberculosis": IMMUNE | {"glucocorticoid"},
    "community-acquired sepsis": IMMUNE,
    "infective endocarditis": IMMUNE | BLOOD_THINNERS,
    "osteoporosis": {"glucocorticoid", "aromatase inhibitor", "GnRH agonist", "GnRH antagonist"},
}


def clash(started: Drug, home: Drug, condition: str, history: str) -> bool:
    """Whether starting this drug on top of that home drug and history would look careless."""
    if (
        started.kind == home.kind
        or started.kind in AVOID.get(history, ())
        or home.kind in AVOID.get(condition, ())
    ):
        return True
    pair = (started.kind, home.kind)
    return any(_meets(pair, one, other) or _meets(pair[::-1], one, other) for one, other in CLASH)


def _meets(pair: tuple[str, str], one: set[str], other: set[str]) -> bool:
    return pair[0] in one and pair[1] in other
