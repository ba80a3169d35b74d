"""Audio: chords drawn by a network, judged by their spectrum, which is known exactly.

A chord is a sum of lines of known power and random phase. train_tones.py trained a 1-D U-Net, in minutes.
"""

import itertools
import wave
from pathlib import Path

import numpy as np

from diffsim import generative as gen
from diffsim import key

RATE, N, FOLD = 8000, 512, 8  # samples per second and in a sound; the network sees FOLD as channels
CHORDS = {"major": (20, 25, 30), "minor": (20, 24, 30), "diminished": (20, 24, 28), "fifth": (20, 30, 40)}
F, LINES = np.arange(N // 2 + 1) * RATE / N, np.zeros((len(CHORDS), N // 2 + 1))  # [Hz], a²/2
for (c, notes), h in itertools.product(enumerate(CHORDS.values()), (1, 2, 3)):
    LINES[c, h * np.array(notes)] += 0.5 * (0.19 * 0.5 ** (h - 1)) ** 2
SPREAD = float(np.sqrt(LINES.sum(1).mean()))  # standard deviation of a sound
WEIGHTS = Path(gen.__file__).parent / "weights" / "tones.safetensors"


def draw(network, label, steps=32, **options):
    """Sounds of these labels, with noise on the way."""
    mesh = gen.karras(steps, 0.004, 40.0)
    z = gen.prior(mesh, (len(label), N // FOLD, FOLD), key(5), data_std=SPREAD)
    sampler = gen.samplers.dpm_solver_pp(gen.preconditioned(network, SPREAD, label), mesh, eta=1.0)
    return gen.sample(sampler, z, key=key(6), **options).final.numpy().reshape(-1, N)


def judged(x):
    """Mean spectra of sounds of all chords in turn, their errors, and numbers by which they are judged."""
    on, P = LINES > 0, (2 * np.abs(np.fft.rfft(x) / N) ** 2).reshape(-1, *LINES.shape)
    mean, error = P.mean(0), P.std(0, ddof=1) / len(P) ** 0.5
    p = np.abs(np.fft.rfft(x * np.blackman(N), 64 * N))[:, : 16 * N]
    peaks = np.argsort(np.where(np.diff(np.sign(np.diff(p))) < 0, p[:, 1:-1], 0.0))[:, -3:]
    away = (np.sort(peaks) + 1) * F[1] / 64 - F[np.tile(list(CHORDS.values()), (len(P), 1))]
    dB, loud = 10 * np.log10(mean[on] / LINES[on]), LINES[on] > 0.1 * LINES.max()
    return mean, error, {
        "worst of loud lines [dB]": np.abs(dB[loud]).max(),
        "worst of soft lines [dB]": np.abs(dB[~loud]).max(),  # third harmonics, 12 dB below their notes
        "mean of soft lines [dB]": dB[~loud].mean(),
        "largest standard error [dB]": 10 / np.log(10) * np.max(error[on] / mean[on]),
        "between lines [dB]": 10 * np.log10(mean[~on].sum() / mean[on].sum()),
        "steadiness": np.mean((P**2).mean(0)[on] / mean[on] ** 2),  # 1 of tones, 2 of noise of their spectrum
        "recognised": np.mean(np.abs(away).max(1) < F[1] / 2),
        "error of frequencies [Hz]": np.sqrt(np.mean(away**2)),
    }


def main(fast=False, figure=None):
    """Powers and frequencies of samples beside the exact ones, and what lies between lines."""
    x = draw(gen.training.load(WEIGHTS), np.arange(64 if fast else 512) % len(CHORDS))
    mean, error, numbers = judged(x)
    if figure:
        import matplotlib.pyplot as plt

        fig, axes = plt.subplots(2, 2, figsize=(9, 6), sharex=True, sharey=True, layout="constrained")
        for ax, name, p, e, line in zip(axes.flat, CHORDS, mean, error, LINES, strict=True):
            ax.errorbar(F, 10 * np.log10(p), 10 / np.log(10) * e / p, label="samples, ± standard error")
            ax.plot(F[line > 0], 10 * np.log10(line[line > 0]), "o", mfc="none", label="exact lines")
            ax.set(title=name, xlim=(0, 2500), ylim=(-80, 10), xlabel="frequency [Hz]", ylabel="dB of 1")
        axes[0, 0].legend()
        fig.savefig(figure, dpi=150)
        with wave.open(str(Path(figure).with_suffix(".wav")), "wb") as file:  # one of each, a second long
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            loud = np.concatenate([np.tile(s, 16) * np.hanning(16 * N) for s in np.clip(x[:4], -1, 1)])
            file.writeframes((32767 * loud).astype("<i2").tobytes())
    return numbers


if __name__ == "__main__":
    for name, value in main(figure="64_tones.png").items():
        print(f"{name:28} {value:.4f}")
