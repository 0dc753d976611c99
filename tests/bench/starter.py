"""What tuning does to the starter model on the held-out demo set: chance, base and tuned, with intervals."""

import sys

from trainer.starter import measure


def main(argv: list[str]) -> None:
    sys.argv = ["starter", *argv]
    measure.main()
