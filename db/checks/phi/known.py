"""What looks like an identifier and is none: trials, papers, codes, variants, public addresses."""

import re
from collections.abc import Iterable, Iterator

from db.checks.phi.span import Kind, Span

_FLAGS = re.IGNORECASE | re.ASCII
_NUMBER = r"\s*(?:(?:no|nr|number|id|code)s?\b\.?)?[\s:#]*"

_LET_THROUGH = re.compile(
    "|".join(
        (
            r"\bNCT ?[0-9]{8}\b",
            r"\bISRCTN ?[0-9]{8}\b",
            r"\bEudraCT\W{0,9}[0-9]{4}-[0-9]{6}-[0-9]{2}\b",
            r"\b20[0-9]{2}-5[0-9]{5}-[0-9]{2}-[0-9]{2}\b",  # EU CT number
            r"\b(?:ACTRN|ChiCTR\w{0,4}-?|DRKS|UMIN|jRCT\w?|PACTR|CTRI/|IRCT|NTR|CRD) ?[0-9][0-9/.N-]{4,20}",
            r"\bPMC ?[0-9]{5,9}\b",
            rf"\b(?:PMID|PubMed|MEDLINE){_NUMBER}[0-9]{{5,9}}\b",
            r"\b10\.[0-9]{4,9}/[^\s\"<>@]+",  # DOI
            r"\barXiv\W{0,2}[0-9]{4}\.[0-9]{4,5}",
            rf"\bIS[BS]N(?:-1[03])?{_NUMBER}[0-9][0-9X -]{{6,16}}[0-9X]",
            rf"\b(?:ICD(?:-?(?:9|10|11)(?:-?(?:CM|PCS))?)?|LOINC|SNOMED(?:[ -]?CT)?|SCTID|CPT|HCPCS"
            r"|RxNorm|RxCUI|UMLS|CUI|MeSH|OMIM|MIM|HGNC|Orpha(?:net)?|ATC|NDC|CAS|EC|UniProt(?:KB)?|Ensembl|GenBank"
            rf"|RefSeq|dbSNP|ClinVar|PDB|ChEMBL|DrugBank|MedDRA|Read code)"
            rf"{_NUMBER}[A-Z]{{0,4}}[0-9][A-Z0-9.:-]*",
            r"\b(?:HP|GO|DOID|MONDO|EFO|CL|UBERON|CHEBI|MP|ORPHA|OMIM):[0-9]{4,8}\b",
            r"\b(?:rs|ss|COSM|COSV|ENS[A-Z]{1,4}|[NX][MPRCG]_|LRG_|OMIM:|RCV|SCV|VCV|GSE|GSM|SRR|SRP|PRJNA|SAMN)[0-9]+"
            r"(?:\.[0-9]+)?(?::[cgmnpr]\.[\w*>=()+-]+)?",
            r"(?<![\w.])[cgmnpr]\.\(?[*-]?[A-Z]{0,3}[0-9][\w*>=()+-]*",  # HGVS
            r"\bchr(?:omosome)?\s?(?:[0-9]{1,2}|[XYM]T?)\s?[:,]\s?(?:g\.)?[0-9][0-9,]*(?:-[0-9,]+)?(?:\s?[ACGTN]+>[ACGTN]+)?",
            r"\b(?:[0-9]{1,2}|X|Y)[:-][0-9]{4,9}(?:-[0-9]{4,9})?[:-]?[ACGT]+[>:-][ACGT]+\b",
            r"\b(?:version|release|build|v)\s?[0-9]+(?:\.[0-9]+){1,5}\b",
            r"\b(?:section|chapter|table|figure|fig)\b\.?\s?[0-9]{1,3}(?:[.-][0-9]{1,3}){0,4}\b",
            r"\b(?:grant|contract|award)\s(?:no\b\.?|number)?\s?[0-9A-Z][0-9A-Z./-]{0,20}[0-9]",
            r"\bPL\s?[0-9]{4,5}/[0-9]{4}\b",  # a medicine's marketing authorisation
            # year;volume(issue):pages
            r"\b(?:19|20)[0-9]{2}\s?;\s?[0-9]+(?:\([0-9A-Z -]+\))?\s?:\s?[A-Z]?[0-9]+(?:-[A-Z]?[0-9]+)?",
            # lines that are free to call, in North America and the United Kingdom: never a person's own
            r"(?<![\w.+-])(?:\+?1[ .-]?)?\(?8(?:00|22|33|44|55|66|77|88)[) .-]{0,2}"
            r"[0-9A-Z]{3}[ .-]?[0-9A-Z]{4}\b",
            r"(?<![\w.+-])0(?:800|808|300|345)\s?[0-9]{3}\s?[0-9]{3,4}\b",
        )
    ),
    _FLAGS,
)
_PUBLIC_SITE = re.compile(
    r"(?:https?://)?(?:[a-z0-9-]+\.)*"
    r"(?:doi\.org|who\.int|nice\.org\.uk|nhs\.uk|gov(?:\.[a-z]{2})?|europa\.eu|clinicaltrials\.gov|isrctn\.com"
    r"|cochranelibrary\.com|cochrane\.org|bmj\.com|nejm\.org|thelancet\.com|nature\.com|medscape\.com|wikipedia\.org"
    r"|uptodate\.com|mayoclinic\.org|example\.(?:com|org|net))(?![\w.-]*\w@)(?:[/:?#]|$|[^\w.-]|\.$)",
    _FLAGS,
)


def without(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """The spans but for those that lie in something known to name no person."""
    spans = list(spans)
    if not spans:
        return
    known = [match.span() for match in _LET_THROUGH.finditer(text)]
    for span in spans:
        if span.kind is Kind.URL and _PUBLIC_SITE.match(text, span.start, span.end):
            continue
        if span.kind is Kind.EMAIL or not any(
            start <= span.start and span.end <= end for start, end in known
        ):
            yield span
