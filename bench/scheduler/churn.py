"""How many host-hours a policy needs for guests that come and go, beside the least possible."""

import random
import time
from collections.abc import Iterator

import numpy as np

from bench.measure import Measure
from computekit.sim import CHURN_POLICIES, alike_hosts, churn_policy, churn_replay, made_up_trace

GUESTS = 20_000
HOURS = 96.0
HOSTS = 500
MOST_SEEDS = 5


def measure(seconds: float) -> Iterator[Measure]:
    """Replay made-up traces by each policy, with as many of five seeds as there is time for."""
    hosts = alike_hosts(HOSTS)
    for policy in CHURN_POLICIES:
        end = time.monotonic() + seconds
        ratios: list[float] = []
        peaks: list[int] = []
        rates: list[float] = []
        while not ratios or (time.monotonic() < end and len(ratios) < MOST_SEEDS):
            trace = made_up_trace(GUESTS, HOURS, random.Random(len(ratios)))
            packing, predictor = churn_policy(policy, hosts, trace, len(ratios))
            found = churn_replay(hosts, packing, trace, predictor=predictor, policy=policy)
            ratios.append(found.ratio)
            peaks.append(found.peak_hosts)
            rates.append(found.decisions_per_s)
        yield Measure(
            policy,
            float(np.mean(ratios)),
            "times the least host-hours",
            {
                "peak_hosts": float(np.mean(peaks)),
                "decisions_per_s": float(np.mean(rates)),
                "seeds": float(len(ratios)),
            },
        )
