"""What does not stop a run and should be known before it, one sentence each, out of the report's figures."""

from trainer.data.estimate import describe_bytes

_LITTLE = 0.05  # share of the rows that may be lost without a word
_FULL = 0.6  # share of the positions below which padding costs more than it should


def sentences(result: dict) -> list[str]:
    """`result` as `trainer.jobs.data_report` describes it, but for its warnings."""
    return [said for said in (*_of_rows(result), *_of_cost(result)) if said]


def _of_rows(result: dict):
    lost, found = result["truncation"], result["found_percentiles"]
    if lost["rows"]:
        raise_it = f"raise max length to {found['100']:,} to keep all"
        if lost["choice"] == "cut" and lost["cut"]:
            yield (
                f"{_rows(lost['cut'], 'loses', 'lose')} the end of the answer, {lost['tokens']:,} tokens in "
                f"all, and with it the sign that the answer ends; {raise_it}."
            )
        elif lost["rows"] > _LITTLE * result["rows"]:
            yield f"{_rows(lost['rows'], 'is', 'are')} left out as too long; {raise_it}."
    if result["endless"]:
        yield (
            f"Behind the answer of {result['endless']:,} rows the base's chat template writes no end token, "
            "so the tuned model may not know when to stop."
        )
    same = result["duplicates"]
    if same["train"]:
        yield f"{_rows(same['train'], 'says', 'say')} again what another training row says."
    for split in ("validation", "test"):
        if same[f"{split}_in_train"]:
            yield (
                f"{same[f'{split}_in_train']:,} questions of the {split} rows are also trained on, so their "
                "scores flatter; freeze a version whose near copies share a split."
            )


def _of_cost(result: dict):
    memory, disk = result["memory"], result["disk"]
    if memory is None:
        yield "Time and memory were not tried: the base is split over several GPUs. Watch the first steps."
    elif memory["high"] > memory["there"]:
        yield (
            f"Memory may run out: up to {describe_bytes(memory['high'])} of "
            f"{describe_bytes(memory['there'])}; lower the batch size or max length."
        )
    if disk["needed"] > disk["free"]:
        yield (
            f"The disk may fill up: checkpoints and result take up to {describe_bytes(disk['needed'])} and "
            f"{describe_bytes(disk['free'])} are free."
        )
    if result["fill"] < _FULL:
        yield (
            f"Only {result['fill']:.0%} of what goes through the model is text, the rest is padding; choose "
            "auto or grouped batches."
        )
    if result["batching"] == "packed":
        yield (
            f"Packed, one step takes in {result['rows_a_step']:,.0f} rows: there are fewer steps, and the "
            "learning rate may want to be higher than for batches of single rows."
        )


def _rows(count: int, one: str, several: str) -> str:
    return f"1 row {one}" if count == 1 else f"{count:,} rows {several}"
