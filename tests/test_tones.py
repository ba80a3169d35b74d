"""Sounds that the committed network draws, against the spectrum of its data, which is exact."""

import wave

import numpy as np
import pytest
import safetensors
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen
from test_generated import WEIGHTS, example

TONES = example("64_tones")
LABEL = np.arange(64) % 4


def test_weights_are_small_and_say_what_they_are_of():
    assert TONES.WEIGHTS == WEIGHTS / "tones.safetensors"
    assert TONES.WEIGHTS.stat().st_size < 1.2e6
    with safetensors.safe_open(TONES.WEIGHTS, "numpy") as stored:
        facts = stored.metadata()
    assert facts["predicts"] == "preconditioned" and "UNet" in facts["network"]


def test_data_have_the_spectrum_that_they_are_judged_by():
    """To rounding, and below 1; noise of the same spectrum has twice the spread of power, and no notes."""
    x = example("train_tones").sounds(LABEL, ds.key(1)).numpy().astype(np.float64)
    assert np.abs(x).max() < 1
    mean, _, numbers = TONES.judged(x)
    np.testing.assert_allclose(mean[TONES.LINES > 0], TONES.LINES[TONES.LINES > 0], rtol=1e-5)
    assert max(numbers["worst of loud lines [dB]"], numbers["worst of soft lines [dB]"]) < 1e-4
    assert numbers["between lines [dB]"] < -100
    assert numbers["steadiness"] == pytest.approx(1, abs=1e-5) and numbers["recognised"] == 1
    assert numbers["error of frequencies [Hz]"] < 0.5
    a = np.sqrt(TONES.LINES / 2)[np.arange(400) % 4] * TONES.N
    xi = ds.random.normal(ds.key(2), (2, *a.shape), tf.float64).numpy() * np.sqrt(0.5)
    noise = TONES.judged(np.fft.irfft(a * (xi[0] + 1j * xi[1])))[2]
    assert noise["steadiness"] == pytest.approx(2, abs=0.25) and noise["recognised"] < 0.5


def fair(numbers):
    """Loud lines to 5σ and 0.3 dB of the network; soft ones, of which it draws too little, to a few dB; hiss below them."""
    assert numbers["recognised"] == 1 and numbers["error of frequencies [Hz]"] < 0.5
    assert numbers["worst of loud lines [dB]"] < 5 * numbers["largest standard error [dB]"] + 0.3
    assert -4 < numbers["mean of soft lines [dB]"] < 0.5
    assert numbers["between lines [dB]"] < -22
    assert 1 <= numbers["steadiness"] < 1.3


def test_samples_have_the_lines_of_their_chords():
    """16 of each chord."""
    fair(TONES.judged(TONES.draw(gen.training.load(TONES.WEIGHTS), LABEL, steps=18, jit=False))[2])


@pytest.mark.slow
def test_more_of_them(tmp_path):
    pytest.importorskip("matplotlib").use("agg")
    fair(TONES.main(figure=str(tmp_path / "tones.png")))
    with wave.open(str(tmp_path / "tones.wav")) as file:
        assert (file.getframerate(), file.getnframes()) == (TONES.RATE, 4 * 16 * TONES.N)
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    tone = np.abs(np.fft.rfft(pcm[: 16 * TONES.N])).argmax() / 16 * TONES.F[1]
    assert np.abs(tone - TONES.F[np.array(TONES.CHORDS["major"])]).min() < 1
