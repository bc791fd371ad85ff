# %% [markdown]
# # Schedule a fleet
#
# A thousand hosts, a request, a decision and its reasons; a request that fits nowhere, and the
# smallest change that would help; two policies side by side; a trace, replayed. Nothing is
# installed, started or claimed: the scheduler is an object in this program.
#
# This page is a script. Run it as it is, or open it as a notebook: Jupyter (with Jupytext), VS Code
# and PyCharm show its cells, and what is printed here as text is drawn there.
# `tools/percent.py docs/tutorials/schedule-a-fleet.py` makes an `.ipynb` of it.
#
# ## A thousand hosts
#
# `FleetLoad` draws hosts of 128 CPUs, 512 GiB and 4 TB that are up to 90 % full, and requests for
# them, from a seed. A real fleet is read from a file
# ([forms](../reference/place-files.md)) or follows a store.

# %%
import random

from computekit.ids import HostName
from computekit.scheduler import Placed, Scheduler
from computekit.sim import FleetLoad

load = FleetLoad.of(hosts=1_000, requests=300, shapes=20, source=random.Random(7))
fleet = load.index()
for number, host in enumerate(fleet.names):
    fleet.set_status(host, disabled="new firmware" if number % 50 == 0 else None, up=True)
scheduler = Scheduler(fleet)
print(len(fleet), "hosts,", len(load.requests), "kinds of requests")

# %% [markdown]
# ```text
# 1000 hosts, 20 kinds of requests
# ```
#
# ## A decision
#
# `place` finds the best host: without a policy that is the one with the most free memory. The
# decision says what to claim there, and knows the next best.

# %%
request = load.requests[0]
decision = scheduler.place(request)
assert isinstance(decision, Placed)
print("asked:", dict(request.placement.groups[0].resources))
print("goes to:", decision.host)
print("or to:", *(one.host for one in decision.alternates(2)))

# %% [markdown]
# ```text
# asked: {'VCPU': 2, 'MEMORY_MB': 2048, 'DISK_GB': 10}
# goes to: host0000645
# or to: host0000130 host0000422
# ```
#
# `explain` evaluates the same rules on the same columns for every host, so it cannot say anything
# else than the decision did. In a notebook the funnel is drawn; `rows()` are for a data frame.

# %%
explanation = decision.explain()
print(explanation.text(width=78))
explanation

# %% [markdown]
# ```text
# host0000645 takes it; 980 of 1000 hosts could
# asked: 2 VCPU, 2048 MEMORY_MB, 10 DISK_GB
#
# rule       asked  hosts left  lost  fail only this
# ---------  -----  ----------  ----  --------------
# all hosts               1000
# enabled    yes           980   -20              20
# up         yes           980
# VCPU       2             980
# MEMORY_MB  2048          980
# DISK_GB    10            980
#
# Best hosts
# host            ram   score
# -----------  ------  ------
# host0000645  524204  524204
# host0000130  524178  524178
# host0000422  523784  523784
# host0000548  523467  523467
# host0000745  522934  522934
#
# Why not the others (10 of 20)
# host         fails    asked  there                   also fails
# -----------  -------  -----  ----------------------  ----------
# host0000000  enabled  yes    disabled: new firmware
# host0000050  enabled  yes    disabled: new firmware
# host0000100  enabled  yes    disabled: new firmware
# host0000150  enabled  yes    disabled: new firmware
# host0000200  enabled  yes    disabled: new firmware
# host0000250  enabled  yes    disabled: new firmware
# host0000300  enabled  yes    disabled: new firmware
# host0000350  enabled  yes    disabled: new firmware
# host0000400  enabled  yes    disabled: new firmware
# host0000450  enabled  yes    disabled: new firmware
# ```
#
# ## Why not?
#
# All the memory of a host, while each has given some away. No host is an answer like any other, and
# it carries its reasons:

# %%
from computekit.model import MEMORY_MB, VCPU, FrozenMap, PlacementRequest, RequestGroup
from computekit.scheduler import Request

amounts = FrozenMap({VCPU: 64, MEMORY_MB: 524_288})
huge = Request(PlacementRequest((RequestGroup(resources=amounts),)))
nowhere = scheduler.why_not(huge)
print(nowhere.summary)
print(nowhere.advice)
nowhere

# %% [markdown]
# ```text
# none of 1000 hosts fits: 596 fail MEMORY_MB 524288, 384 fail VCPU 64, 20 fail enabled
# ask for 524204 MEMORY_MB instead of 524288: then host0000645 fits
# ```
#
# The advice is the fewest changes, and of those the smallest, after which some host takes the
# request. It was proved before it was said: made on a copy of the fleet, and decided again. Ask
# about one host in the same way:

# %%
about = scheduler.why_not(huge, HostName("host0000050"))
print(about.text(width=78))
about

# %% [markdown]
# ```text
# host0000050 does not fit: enabled: disabled: new firmware, VCPU 64 against 16
# of 128 free, MEMORY_MB 524288 against 61784 of 524288 free
# asked: 64 VCPU, 524288 MEMORY_MB
# enable host0000050, and ask for 16 VCPU instead of 64, and ask for 61784
# MEMORY_MB instead of 524288: then host0000050 fits
#
# host0000050
# rule       asked   there                          what would help
# ---------  ------  ----------------------  -----  ----------------------------
# enabled    yes     disabled: new firmware  FAILS  enable host0000050
# up         yes     yes                     ok
# VCPU       64      16 of 128 free          FAILS  ask for 16 VCPU instead of
#                                                   64 or free 48 VCPU on
#                                                   host0000050
# MEMORY_MB  524288  61784 of 524288 free    FAILS  ask for 61784 MEMORY_MB
#                                                   instead of 524288 or free
#                                                   462504 MEMORY_MB on
#                                                   host0000050
# ```
#
# The remedy is a value. Made on a copy, it does what it says:

# %%
copy = fleet.copy()
changed = about.changed(copy)
after = Scheduler(copy).why_not(changed, HostName("host0000050"))
print(after.summary)

# %% [markdown]
# ```text
# host0000050 fits; host0000645 is preferred
# ```
#
# ## Two policies on one snapshot
#
# `compare` decides the same requests in the same order by two policies. Each claims on a copy of
# its own, so that it sees what its own choices have left; the fleet stays as it is.

# %%
from computekit.sim import fleet_policy

requests = [load.requests[number] for number in load.sequence]
compared = scheduler.compare(
    fleet_policy("spread"), fleet_policy("balanced"), requests, names=("spread", "balanced")
)
print(compared.summary)
for left in compared.left:
    print(f"{left.policy}: one host has {left.largest_free[MEMORY_MB]} MiB left")
compared

# %% [markdown]
# ```text
# 300 of 300 requests go elsewhere; spread places 300 on 105 hosts, balanced 300 on 85 hosts
# spread: one host has 480230 MiB left
# balanced: one host has 524204 MiB left
# ```
#
# Spreading takes from the emptiest hosts, so that none is left for something large; packing keeps
# them whole. `compared.rows()` has every request: where each policy put it, and by how much each
# prefers its own choice to the other's.
#
# ## Replay a trace
#
# The OpenB trace lists nodes with GPUs, and pods that ask for parts of them. Here is a small list
# in its format, made up on the spot; [Replay a trace](replay-a-trace.md) says more.

# %%
import tempfile
from pathlib import Path

from computekit.sim import openb_cluster, openb_demands, openb_mean, openb_replay, openb_view

folder = tempfile.TemporaryDirectory()
nodes, pods = Path(folder.name) / "nodes.csv", Path(folder.name) / "pods.csv"
source = random.Random(7)
lines = ["sn,cpu_milli,memory_mib,gpu,model"]
lines += [f"node-{n:02},96000,393216,8,G2" for n in range(12)]
lines += [f"node-{n:02},96000,393216,2,T4" for n in range(12, 20)]
nodes.write_text("\n".join(lines) + "\n")
kinds = ["3000,5600,1,810", "11000,16384,1,1000", "8000,16384,1,470", "4000,12288,1,320"]
kinds += ["20000,32768,2,1000", "12000,16384,0,0"]
drawn = source.choices(kinds, (20, 35, 15, 8, 2, 10), k=140)
lines = ["name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec"]
lines += [f"pod-{n:03},{kind}," for n, kind in enumerate(drawn)]
pods.write_text("\n".join(lines) + "\n")

cluster, demands = openb_cluster(nodes), openb_demands(pods)
means = {}
for policy in ("best-fit", "fragmentation"):
    figures = openb_replay(cluster, demands, policy, seeds=(42, 43, 44))
    means[policy] = openb_mean(figures)
    placed = means[policy].alloc_130
    print(f"{policy}: {placed:.1f} % of all GPUs placed when 130 % were asked for")
openb_view(list(means.values()), means["fragmentation"])

# %% [markdown]
# ```text
# best-fit: 92.4 % of all GPUs placed when 130 % were asked for
# fragmentation: 93.3 % of all GPUs placed when 130 % were asked for
# ```
#
# Next: [a rule of your own](../how-to/write-a-filter.md),
# [what decisions cost](../explanation/cost-of-a-decision.md), and
# [every rule by name](../reference/rules.md).
