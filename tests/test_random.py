"""Random numbers: the published cipher, exact laws of counters and keys, distributions with their tails."""

import h5py
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from diffsim import random
from diffsim._quantile import quantile
from diffsim.random import bits, fold_in, key, normal, split, stream, uniform

MASK = 2**32 - 1
KEY = key(20)
ALPHA = 1e-5  # false-alarm rate of each Kolmogorov-Smirnov and χ² test


def threefry(k, x):
    """Threefry-2x32-20 in plain integers, after the definition in Salmon et al. (2011)."""
    ks = [*k, k[0] ^ k[1] ^ 0x1BD11BDA]
    x = [(x[0] + k[0]) & MASK, (x[1] + k[1]) & MASK]
    for i, r in enumerate([13, 15, 26, 6, 17, 29, 16, 24] * 2 + [13, 15, 26, 6]):
        x[0] = (x[0] + x[1]) & MASK
        x[1] = ((x[1] << r | x[1] >> (32 - r)) & MASK) ^ x[0]
        if i % 4 == 3:
            n = i // 4 + 1
            x = [(x[0] + ks[n % 3]) & MASK, (x[1] + ks[(n + 1) % 3] + n) & MASK]
    return tuple(x)


def words(draw):
    return np.stack([word.numpy() for word in draw], axis=-1)


def whole(draw):
    """The two words as one 64-bit integer."""
    pair = words(draw).astype(np.uint64)
    return pair[..., 0] << np.uint64(32) | pair[..., 1]


def compiled(fn):
    return tf.function(fn, jit_compile=True, autograph=False)


@pytest.mark.parametrize(
    ("k", "counter", "answer"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((MASK, MASK), (MASK, MASK), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_the_known_answers_of_random123(k, counter, answer):
    draw = bits(np.array(k, np.uint32), (1,), first=counter[0], step=counter[1])
    assert tuple(words(draw)[0]) == threefry(k, counter) == answer


def test_words_and_derived_keys_against_plain_integers():
    k = tuple(int(word) for word in KEY.numpy())
    assert k == threefry((0, 0x73656564), (20, 0))
    np.testing.assert_array_equal(
        words(bits(KEY, (2, 3), step=5, first=7)).reshape(-1, 2), [threefry(k, (21 + i, 5)) for i in range(6)]
    )
    np.testing.assert_array_equal(
        split(KEY, 3), [threefry((k[0], k[1] ^ 0x73706C69), (i, 0)) for i in range(3)]
    )
    data = 3 * 2**32 + 11
    np.testing.assert_array_equal(fold_in(KEY, data), threefry((k[0], k[1] ^ 0x666F6C64), (11, 3)))


@pytest.mark.parametrize("jit", [False, True])
def test_eager_graph_and_compiled_agree(jit):
    shape = (101, 3)
    run = tf.function(
        lambda k, n: (
            bits(k, shape, step=n),
            uniform(k, shape, step=n),
            normal(k, shape, step=n),
            normal(k, shape, tf.float64, step=n),
        ),
        jit_compile=jit,
        autograph=False,
    )
    b, u, z, z64 = run(KEY, tf.constant(9))
    np.testing.assert_array_equal(words(b), words(bits(KEY, shape, step=9)))
    np.testing.assert_array_equal(u, uniform(KEY, shape, step=9))
    np.testing.assert_allclose(z, normal(KEY, shape, step=9), rtol=1e-6)
    np.testing.assert_allclose(z64, normal(KEY, shape, tf.float64, step=9), rtol=4e-15)
    np.testing.assert_allclose(z, z64, rtol=1e-6)


@pytest.mark.parametrize("trailing", [(), (1,), (3,), (5, 7)])
def test_a_batch_is_a_part_of_the_whole(trailing):
    everything = normal(KEY, (30, *trailing), step=4)
    batch = tf.function(lambda first: normal(KEY, (10, *trailing), step=4, first=first), autograph=False)
    parts = [batch(tf.constant(first, tf.int64)) for first in (0, 10, 20)]
    np.testing.assert_allclose(tf.concat(parts, 0), everything, rtol=1e-6)
    np.testing.assert_array_equal(
        bits(KEY, (7, *trailing), first=13)[0], bits(KEY, (30, *trailing))[0][13:20]
    )
    assert batch.experimental_get_tracing_count() == 1


def test_step_and_key_are_data_of_a_compiled_loop():
    @compiled
    def walk(k, x, n0):
        body = lambda n, x: (n + 1, x + normal(k, x.shape, x.dtype, step=n))  # noqa: E731
        return tf.while_loop(lambda n, x: n < n0 + 5, body, [n0, x])[1]

    for k in split(KEY):
        for n0 in (0, 1000):
            steps = sum(normal(k, (11, 3), tf.float64, step=n0 + i) for i in range(5))
            np.testing.assert_allclose(
                walk(k, tf.zeros((11, 3), tf.float64), tf.constant(n0)), steps, atol=1e-14
            )
    assert walk.experimental_get_tracing_count() == 1


def test_a_compiled_draw_encrypts_once_for_both_words():
    @compiled
    def draw(k, n):
        return normal(k, (4096,), step=n)

    program = draw.experimental_get_compiler_ir(KEY, tf.constant(3))(stage="optimized_hlo")
    mixed = program.count("u32[4096]{0} xor(")
    assert 15 <= mixed <= 24, f"{mixed} mixings of a cipher of 20 rounds"  # 40 where each word has a loop of its own


def test_keys_folded_together_are_those_folded_one_by_one():
    data = (0, 7, 0x72656101, 2**32 + 3)
    np.testing.assert_array_equal(random.folded(KEY, data), [fold_in(KEY, d) for d in data])


def test_gradients_pass_by_the_noise():
    @compiled
    def slope(sigma):
        with tf.GradientTape() as tape:
            tape.watch(sigma)
            body = lambda n, x: (n + 1, x + sigma * normal(KEY, (50,), tf.float64, step=n))  # noqa: E731
            x = tf.while_loop(lambda n, x: n < 4, body, [0, tf.zeros(50, tf.float64)], maximum_iterations=4)[
                1
            ]
        return tape.gradient(x, sigma)

    exact = sum(tf.reduce_sum(normal(KEY, (50,), tf.float64, step=n)) for n in range(4))
    np.testing.assert_allclose(slope(tf.constant(0.7, tf.float64)), exact, rtol=1e-12)


def test_no_counter_and_no_key_occurs_twice():
    pairs = np.concatenate([whole(bits(KEY, (2**14,), step=step)) for step in (0, 1, 2, 2**31, MASK)])
    assert np.unique(pairs).size == pairs.size
    keys = [
        KEY,
        key(0),
        key(1),
        key(2**32),
        key(2**64 - 1),
        *split(KEY, 300),
        *(fold_in(KEY, i) for i in range(100)),
    ]
    keys += [fold_in(k, 0) for k in split(KEY, 50)]
    keys += [stream(KEY, i) for i in (*range(50), 2**32)]
    assert np.unique(np.stack(keys), axis=0).shape[0] == len(keys)
    np.testing.assert_array_equal(split(KEY, 300)[:2], split(KEY))
    symbolic = compiled(lambda i: fold_in(KEY, i))(tf.constant(2**40 + 3, tf.int64))
    np.testing.assert_array_equal(symbolic, fold_in(KEY, 2**40 + 3))


def test_a_key_is_stored_and_read(tmp_path):
    with h5py.File(tmp_path / "run.h5", "w") as file:
        file.attrs["key"] = KEY
    with h5py.File(tmp_path / "run.h5") as file:
        np.testing.assert_array_equal(normal(file.attrs["key"], (3,)), normal(KEY, (3,)))


def chosen(tails, upper):
    """High and low words whose normal has the tail probability (m + ½) 2⁻⁶³, m an integer below 2⁶²."""
    s = np.array([2**62 - 1 - m if upper else m - 2**62 for m in tails])
    return tf.constant((s >> 31) & MASK, tf.uint32), tf.constant((s & 2**31 - 1) << 1, tf.uint32)


@pytest.mark.parametrize(("dtype", "rtol"), [(tf.float32, 6e-7), (tf.float64, 4e-15)])
@pytest.mark.parametrize("upper", [False, True])
def test_the_quantiles_are_exact_to_nine_sigma(dtype, rtol, upper):
    tails = np.append(0, 2.0 ** np.linspace(0, 61.7, 4000)).astype(np.int64)
    sigma = scipy.stats.norm.isf((tails + 0.5) * 2.0**-63) * (1 if upper else -1)
    assert np.abs(sigma).min() < 0.25 and np.abs(sigma).max() > 9
    for run in (quantile, compiled(quantile)):
        np.testing.assert_allclose(run(*chosen(tails, upper), dtype), sigma, rtol=rtol)


@pytest.mark.parametrize(("dtype", "rtol"), [(tf.float32, 6e-7), (tf.float64, 4e-15)])
def test_the_quantiles_are_exact_near_zero(dtype, rtol):
    s = np.append(-(2 ** np.arange(61)), 2 ** np.arange(61) - 1)
    words = tf.constant((s >> 31) & MASK, tf.uint32), tf.constant((s & 2**31 - 1) << 1, tf.uint32)
    exact = 2**0.5 * scipy.special.erfinv((s + 0.5) * 2.0**-62)
    np.testing.assert_allclose(quantile(*words, dtype), exact, rtol=rtol, atol=6e-17)


@pytest.mark.parametrize("sigma", [1.0, 4.0, 5.0, 5.5, 6.0, 7.0, 8.0])
def test_the_mass_beyond_sigma_is_exact(sigma):
    edge = scipy.stats.norm.sf(sigma) * 2.0**63  # so many of the 2⁶³ patterns lie beyond sigma
    slack = 6e-7 * sigma * (sigma + 1)  # what float32 rounding of the quantile moves, d log sf = −(σ + …) dσ
    beyond, short = quantile(*chosen([int(edge * (1 - slack)), int(edge * (1 + slack))], True), tf.float32)
    assert short < sigma < beyond


def test_normals_of_24_bits_would_have_no_tail():  # negative control of the two tests above
    last = tf.constant([1 - 2.0**-24], tf.float32)
    assert tf.math.ndtri(last) < 5.5


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_the_mass_beyond_four_sigma_in_a_sample(dtype):
    n, p = 2**22, 2 * scipy.stats.norm.sf(4.0)
    count = compiled(lambda k: tf.math.count_nonzero(tf.abs(normal(k, (n,), dtype)) > 4))(KEY)
    assert abs(int(count) - n * p) < 5 * (n * p) ** 0.5


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_uniforms_are_the_leading_bits(dtype):
    digits = 24 if dtype == tf.float32 else 53
    u = uniform(KEY, (1000, 3), dtype, step=2).numpy()
    assert u.dtype == dtype.as_numpy_dtype
    pair = words(bits(KEY, (1000, 3), step=2)).astype(object)
    n = pair[..., 0] >> 8 if digits == 24 else (pair[..., 0] >> 5) << 26 | pair[..., 1] >> 6
    np.testing.assert_array_equal(u.astype(float), n.astype(float) * 2.0**-digits)
    ends = random._fraction(tf.constant([0, MASK], tf.uint32), tf.constant([0, MASK], tf.uint32), dtype)
    assert ends[0] == 0 and ends[1] == 1 - 2.0**-digits


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_distributions_and_moments(dtype):
    n = 300_000
    u, z = uniform(KEY, (n // 3, 3), dtype).numpy().ravel(), normal(KEY, (n // 3, 3), dtype).numpy().ravel()
    assert scipy.stats.kstest(u, "uniform").pvalue > ALPHA
    assert scipy.stats.kstest(z, "norm").pvalue > ALPHA
    assert scipy.stats.kstest(1.02 * z, "norm").pvalue < ALPHA  # negative control
    for order, (mean, variance) in {1: (0, 1), 2: (1, 2), 3: (0, 15), 4: (3, 96)}.items():
        assert abs((z.astype(float) ** order).mean() - mean) < 5 * (variance / n) ** 0.5


def test_each_byte_is_equally_likely():
    for word in bits(KEY, (2**18,), step=1):
        for byte in word.numpy().view(np.uint8).reshape(-1, 4).T:
            assert scipy.stats.chisquare(np.bincount(byte, minlength=256)).pvalue > ALPHA


def test_steps_neighbours_words_and_streams_are_uncorrelated():
    n = 100_000
    z = normal(KEY, (n, 3), tf.float64).numpy()
    others = [
        normal(KEY, (n, 3), tf.float64, step=1),
        *(normal(k, (n, 3), tf.float64) for k in split(KEY)),
        normal(fold_in(KEY, 0), (n, 3), tf.float64),
        normal(key(21), (n, 3), tf.float64),
    ]
    columns = np.column_stack([z, np.roll(z[:, 0], 1), *(other.numpy()[:, 0] for other in others)])
    for power in (columns, columns**2):
        off = np.triu(np.corrcoef(power.T), 1)
        assert np.abs(off).max() < 5 * n**-0.5
    high, low = (word.numpy() * 2.0**-32 for word in bits(KEY, (n,)))
    assert abs(np.corrcoef(high, low)[0, 1]) < 5 * n**-0.5
    again = np.corrcoef(z[:, 0], normal(KEY, (n, 3)).numpy()[:, 0])[0, 1]
    assert again > 0.999999  # negative control: the same key and step repeat the same numbers


def test_symbolic_counters_out_of_range_give_nan():
    run = compiled(lambda step, first: normal(KEY, (4, 3), step=step, first=first))
    last = (2**32 - 12) // 3
    zero = tf.constant(0, tf.int64)
    assert np.isfinite(run(zero + MASK, zero + last)).all()
    for step, first in [(-1, 0), (2**32, 0), (0, -1), (0, last + 1), (0, 2**62)]:
        assert np.isnan(run(zero + step, zero + first)).all()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: key(-1), ValueError, "seed=-1: expected an integer ≥ 0, because"),
        (lambda: key(2**64), ValueError, "expected an integer < 18446744073709551616"),
        (lambda: key(1.5), TypeError, "seed=1.5"),
        (lambda: key(True), TypeError, "seed=True"),
        (lambda: split(KEY, 0), ValueError, "n=0: expected an integer ≥ 1"),
        (lambda: split(KEY, 2**31), ValueError, "n < 2³¹"),
        (lambda: split(7), TypeError, "key=7: expected a uint32 array"),
        (lambda: fold_in(KEY, -2), ValueError, "data=-2"),
        (lambda: fold_in(KEY, tf.constant(0.5)), TypeError, "data=0.5"),
        (lambda: bits(np.zeros(2, np.int32), (3,)), TypeError, "key=array"),
        (lambda: normal(KEY, 3), TypeError, "shape=3: expected a sequence"),
        (lambda: normal(KEY, (3, -1)), ValueError, r"shape\[1\]=-1"),
        (lambda: normal(KEY, (None, 2)), TypeError, r"shape\[0\]=None"),
        (lambda: normal(KEY, (2**16, 2**16)), ValueError, "2³¹ elements"),
        (lambda: normal(KEY, (2,), tf.float16), TypeError, "tf.float32 or tf.float64"),
        (lambda: uniform(KEY, (2,), "real"), TypeError, "dtype='real'"),
        (lambda: normal(KEY, (2,), step=0.5), TypeError, "step=0.5"),
        (lambda: normal(KEY, (2,), step=tf.constant([1, 2])), TypeError, "step=array of shape"),
        (lambda: normal(KEY, (2,), step=2**32), ValueError, "expected an integer < 4294967296"),
        (lambda: normal(KEY, (2,), step=tf.constant(-1)), ValueError, "step=-1"),
        (lambda: normal(KEY, (4, 3), first=(2**32 - 12) // 3 + 1), ValueError, "first ≤ 1431655761"),
        (lambda: normal(KEY, (2,), seed=1), TypeError, "seed"),
    ],
)
def test_bad_input_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_empty_and_scalar_draws():
    assert (
        normal(KEY, ()).shape == ()
        and normal(KEY, (0, 3)).shape == (0, 3)
        and normal(KEY, (3, 0)).shape == (3, 0)
    )
