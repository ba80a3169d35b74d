"""Digits from words: a network that draws any digit, led by encoders that tell how an image goes with a word.

The encoders learn here, in seconds, to put images of digits and their names into one space, as CLIP does for
photographs and captions. A classifier that knows nothing of them says which digit it sees.
"""

import runpy
from pathlib import Path

import keras
import numpy as np

import diffsim as ds
from diffsim import generative as gen

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
REAL = runpy.run_path(str(Path(__file__).with_name("digits_parts.py")))
SCHEDULE = gen.Cosine()
WEIGHTS = Path(gen.__file__).parent / "weights" / "digits.safetensors"


def letters(words):
    """How often each letter is in each word: what the text encoder reads."""
    return np.array([[w.count(chr(97 + i)) for i in range(26)] for w in words], np.float32)


def towers(images, labels, width=16, epochs=30):
    """Encoders of images and of texts: cos θ of an image with its word beats that with all others."""
    keras.utils.set_random_seed(65)
    tower = keras.Sequential([keras.layers.Flatten(), keras.layers.GaussianNoise(0.3),
                              keras.layers.Dense(64, "silu"), keras.layers.Dense(width)])
    text = keras.Sequential([keras.layers.Dense(64, "silu"), keras.layers.Dense(width)])
    x, words = keras.Input((8, 8, 1)), keras.Input((10, 26))
    f, e = (keras.ops.normalize(y, -1) for y in (tower(x), text(words)))
    pair = keras.Model([x, words], 10.0 * keras.ops.einsum("bd,bwd->bw", f, e))
    pair.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    every = np.broadcast_to(letters(WORDS), (len(images), 10, 26))
    pair.fit([images, every], labels, batch_size=64, epochs=epochs, verbose=0)
    return tower, text


def draw(denoiser, count, steps=50):
    """Digits by a denoiser; noise on the way mends what guidance gets wrong."""
    mesh = gen.karras(steps, 0.02, 80.0)
    z = gen.prior(mesh, (count, 8, 8, 1), ds.key(1))
    sampler = gen.samplers.ddpm(denoiser, mesh)
    return np.clip(gen.sample(sampler, z, key=ds.key(3), jit=False).final, -1, 1)


def main(fast=False, figure=None):
    """How many samples are seen as the digit that was asked for, with and without words."""
    from sklearn.neural_network import MLPClassifier

    (images, labels), *_ = REAL["digits"]()
    judge = MLPClassifier((32,), max_iter=400, random_state=0, alpha=1e-2).fit(images.reshape(-1, 64), labels)
    tower, text = towers(images, labels)
    asked = np.arange(100 if fast else 200) % 10
    embedding = text(letters([WORDS[i] for i in asked])[None])[0]
    free = gen.from_v(gen.training.load(WEIGHTS, SCHEDULE), SCHEDULE)
    led = {
        "no words": free,
        "by cosine": gen.align(free, tower, embedding, 20.0),
        "by angle": gen.align(free, tower, embedding, 20.0, score=gen.spherical_similarity),
    }
    made = {name: draw(denoiser, len(asked)) for name, denoiser in led.items()}
    if figure:
        sets = {f"“{word}”": made["by cosine"][asked == i][:10] for i, word in enumerate(WORDS)}
        REAL["rows"](sets, "ten drawings for each word, by cosine").savefig(figure)
    return {name: np.mean(judge.predict(x.reshape(-1, 64)) == asked) for name, x in made.items()}


if __name__ == "__main__":
    for name, value in main(figure="65_digits_by_words.png").items():
        print(f"{name:28} {value:.4f}")
