"""The playground: one copy of the weights, what a pair costs, and twenty people comparing at once.

`python -m tests.bench pair_costs` and `people` measure one half alone, and tell how. `memory_ratio` is to be
at most 1.1; `time_ratio` at most 1 on the CPU (over two passes) and 1.25 on a GPU (over one side);
`ttft_ratio` at most 1.2; `wrong_sides` and `errors` 0.
"""

import json
import sys
from argparse import ArgumentParser

from tests.bench import pair_costs, people


def main(argv: list[str]) -> None:
    parser = ArgumentParser(prog="python -m tests.bench playground")
    parser.add_argument("--pairs", type=int, default=people.PAIRS, help="compared by all people together")
    parser.add_argument("--people", type=int, default=people.PEOPLE)
    parser.add_argument("--turns", type=int, default=pair_costs.TURNS, help="of one side and of the pair")
    given = parser.parse_args(argv)
    print(json.dumps(pair_costs.measure(given.turns) | people.measure(given.pairs, given.people)))


if __name__ == "__main__":
    main(sys.argv[1:])
