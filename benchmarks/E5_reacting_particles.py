"""E5: molecules that react in space, million molecule-steps per second; beside ReaDDy and Smoldyn.

Michaelis–Menten, ReaDDy's benchmark: E + S ⇌ ES → E + P, 909 E and 9091 S in a periodic box of 4.4964³, D = 10, Doi
kinetics with R = .03, λ = 86.78438 (k₁ = .01, with Smoldyn its binding radius for that rate), k₋₁ = k₂ = 1, in steps
of 8·10⁻⁴. The state at the end goes into the results: the rate equation at t = .8 has 268.5 ES and 148.0 P. Peers run
in the Python PEERS, by default this one, on all cores where they use them.
"""

import subprocess
import sys
import time
from pathlib import Path

from harness import PEERS, compare, timed

L, D, R, LAMBDA, DT = 4.4964, 10.0, 0.03, 86.78438364, 8e-4
NUMBERS = {"E": 909, "S": 9091}


def diffsim(steps):
    """Through `solve`."""
    import diffsim as ds

    cube, texts = ds.Box((0.0,) * 3, (L,) * 3), ("E + S <-> ES @ 0.01, 1", "ES -> E + P @ 1")
    doi = ds.particles.Doi(R)
    law = ds.particles.Molecules.of(*texts, D=D, region=cube, boundary=ds.Periodic(), kinetics=doi)
    y0 = law.fill(NUMBERS, 10_300, ds.key(1))

    def run():
        sol = ds.solve(law, y0, (0, steps * DT), dt=DT, key=ds.key(2), progress=False)
        return dict(zip(law.species, law.count(0.0, sol.final).numpy().astype(int).tolist(), strict=True))

    return run


def readdy(steps):
    """Reactions by its Gillespie handler, on one core or, kernel CPU, on all."""
    import numpy as np
    import readdy

    system = readdy.ReactionDiffusionSystem([L] * 3, periodic_boundary_conditions=[True] * 3, unit_system=None)
    for s in ("E", "S", "ES", "P"):
        system.add_species(s, D)
    system.reactions.add(f"fwd: E +({R}) S -> ES", rate=LAMBDA)
    system.reactions.add(f"back: ES -> E +({R}) S", rate=1.0)
    system.reactions.add(f"prod: ES -> E +({R}) P", rate=1.0)

    def run(kernel="SingleCPU"):
        simulation = system.simulation(kernel=kernel)
        simulation.reaction_handler = "Gillespie"
        seen = {}
        for s, n in NUMBERS.items():
            simulation.add_particles(s, (np.random.default_rng(1).random((n, 3)) - 0.5) * L)
        simulation.observe.number_of_particles(steps, ["E", "S", "ES", "P"], callback=lambda n: seen.update(n=n))
        simulation.show_progress = False
        began = time.perf_counter()
        simulation.run(steps, DT)
        return time.perf_counter() - began, dict(zip(("E", "S", "ES", "P"), seen["n"], strict=True))

    return run


def smoldyn(steps):
    """Through its Python bindings; reaction radii for the rates are its own."""
    import smoldyn as sm

    def run():
        box = sm.Simulation(low=[0.0] * 3, high=[L] * 3, boundary_type="p", quit_at_end=True)
        E, S, ES, P = (box.addSpecies(s, difc=D) for s in ("E", "S", "ES", "P"))
        box.addBidirectionalReaction("bind", subs=[E, S], prds=[ES], kf=0.01, kb=1.0)
        box.addReaction("make", subs=[ES], prds=[E, P], rate=1.0)
        for s, n in ((E, 909), (S, 9091)):
            s.addToSolution(n, lowpos=[0.0] * 3, highpos=[L] * 3)
        began = time.perf_counter()
        box.run(stop=steps * DT, dt=DT, display=False)
        return time.perf_counter() - began, {}

    return run


def peer(tool, steps, kernel):
    """The least of three runs in the peers' Python."""
    code = f"from E5_reacting_particles import {tool}; run = {tool}({steps})\n"
    code += f"print(*min((run({kernel!r}) if {kernel!r} else run() for _ in range(3)), key=lambda r: r[0]), sep='|')"
    done = subprocess.run([PEERS, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parent)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    seconds, seen = done.stdout.strip().splitlines()[-1].split("|")
    return float(seconds), seen


def measure(tool, steps, kernel=None):
    """Seconds of a run, and molecule-steps per second."""
    if tool == "diffsim":
        run, seen = diffsim(steps), {}
        result = timed(lambda: seen.update(run()), 3)
        seconds, final = result["least_s"], str(seen)
    else:
        seconds, final = peer(tool, steps, kernel)
        result = {"least_s": seconds}
    return {**result, "final": final, "million_molecule_steps_per_s": sum(NUMBERS.values()) * steps / seconds / 1e6}


def cases(fast):
    """Each tool to t = .8, or shorter."""
    steps = 20 if fast else 1000
    yield {"tool": "diffsim", "steps": steps}
    yield {"tool": "readdy", "steps": steps // 4, "kernel": "SingleCPU"}
    yield {"tool": "readdy", "steps": steps // 4, "kernel": "CPU"}
    yield {"tool": "smoldyn", "steps": steps // 4}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    compare(__file__, measure, cases, lambda r: f"{r['million_molecule_steps_per_s']:.2f} million molecule-steps/s")
