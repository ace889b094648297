"""Word embeddings to start from: which tokens occur near each other, factorised.

A transformer this small learns little about rare words from labels alone.  The
truncated SVD of the positive pointwise mutual information of neighbouring tokens
takes a minute, and already puts words of similar use close together.
"""

import numpy

from model import PAD


def cooccurrences(ids, vocab_size, window):
    """How often token b is at most WINDOW tokens from a, nearer ones counting more."""
    counts = numpy.zeros(vocab_size * vocab_size, dtype=numpy.float32)
    for distance in range(1, window + 1):
        pairs = ids[:-distance].astype(numpy.int64) * vocab_size + ids[distance:]
        counts += numpy.bincount(pairs, minlength=len(counts)) / numpy.float32(distance)
    counts = counts.reshape(vocab_size, vocab_size)
    return counts + counts.T


def positive_pmi(counts):
    # Contexts are smoothed (power 0.75), or rare tokens would get the largest values.
    of_token = counts.sum(1)
    of_context = of_token**0.75
    of_context /= of_context.sum()
    expected = numpy.outer(of_token, of_context)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        pmi = numpy.log(counts / expected)
    return numpy.where(counts > 0, numpy.maximum(pmi, 0), 0).astype(numpy.float32)


def truncated_svd(matrix, rank, random, rounds=4, spare=32):
    """Left singular vectors and values, by randomised subspace iteration."""
    basis = random.standard_normal((matrix.shape[1], rank + spare)).astype(numpy.float32)
    for _ in range(rounds):
        basis, _ = numpy.linalg.qr(matrix @ basis)
        basis, _ = numpy.linalg.qr(matrix.T @ basis)
    left, values, _ = numpy.linalg.svd(matrix @ basis, full_matrices=False)
    return left[:, :rank], values[:rank]


def initial_embeddings(ids, vocab_size, hidden_size, deviation, window=5, seed=0):
    """Embeddings [vocab_size, hidden_size] with the given standard deviation of their elements.

    IDS is a text of many tweets, each with its <s> and </s>.
    """
    pmi = positive_pmi(cooccurrences(ids, vocab_size, window))
    random = numpy.random.default_rng(seed)
    left, values = truncated_svd(pmi, hidden_size, random)
    vectors = left * numpy.sqrt(values)
    # A random rotation spreads the leading directions over all features and so all heads.
    rotation, _ = numpy.linalg.qr(random.standard_normal((hidden_size, hidden_size)))
    vectors = (vectors @ rotation).astype(numpy.float32)
    lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
    vectors *= deviation * numpy.sqrt(hidden_size) / numpy.maximum(lengths, 1e-6)
    vectors[PAD] = 0
    return vectors
