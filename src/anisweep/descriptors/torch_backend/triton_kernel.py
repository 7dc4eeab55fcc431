"""Run the most expensive stage in Triton kernels: moments along the axes, their products, the contraction.

The products of a pair (2,024 numbers at lmax 9, nmax 6) are made, summed over the pairs of a group and
multiplied by the matrix without leaving the chip; the derivatives of a pair are sums over the same products.
`moments` has the same functions in plain Torch, and the equations.

bfloat16 is not offered here. Without a GPU the kernels run in Triton's interpreter: set
TRITON_INTERPRET=1 before this module is imported.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-decorators

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from anisweep.descriptors.torch_backend.moments import BasisTensors, Means, bends_of, by_products, slopes_of

#: What one program works on; dot products need at least 16 of each.
PAIRS, GROUPS, PRODUCTS, FEATURES = 32, 16, 32, 128


#: They differ from call to call or block to block; kernels are not compiled anew for those that 16 divides.
SIZES = ["pairs", "groups", "products", "width", "stride"]


@triton.jit(do_not_specialize=SIZES)
def _along_axes(mean, rho, steps, values, pairs, DEGREE: tl.constexpr, PAIRS: tl.constexpr):
    """Store values[axis, p, pair] = E_p along each axis."""
    pairs = pairs.to(tl.int64)  # and with it all places in memory, which go beyond 2^31 on large GPUs
    axis = tl.program_id(1)
    pair = tl.program_id(0) * PAIRS + tl.arange(0, PAIRS).to(tl.int64)
    there = pair < pairs
    a = tl.load(mean + 3 * pair + axis, mask=there, other=0)
    r = tl.load(rho + 3 * pair + axis, mask=there, other=0)

    now = a * 0 + 1
    before = a * 0
    to = values + axis * (DEGREE + 1) * pairs + pair
    tl.store(to, now, mask=there)

    for p in range(DEGREE):
        after = tl.load(steps + p) * a * now - tl.load(steps + DEGREE + p) * r * before
        before = now
        now = after
        tl.store(to + (p + 1) * pairs, now, mask=there)


@triton.jit
def _products(values, powers, k, pair, there, pairs, products, DEGREE: tl.constexpr):
    """Load the values along each axis of which tiles (pairs, products) are made; zero where none is."""
    axis = (DEGREE + 1) * pairs
    known = k < products
    p = tl.load(powers + k, mask=known, other=0)
    q = tl.load(powers + products + k, mask=known, other=0)
    r = tl.load(powers + 2 * products + k, mask=known, other=0)
    tile = there[:, None] & known[None, :]

    x = tl.load(values + p[None, :] * pairs + pair[:, None], mask=tile, other=0)
    y = tl.load(values + axis + q[None, :] * pairs + pair[:, None], mask=tile, other=0)
    z = tl.load(values + 2 * axis + r[None, :] * pairs + pair[:, None], mask=tile, other=0)
    return x, y, z


@triton.jit(do_not_specialize=SIZES)
def _contract(
    values, powers, matrix, starts, out, pairs, groups, products, width, stride,
    DEGREE: tl.constexpr, GROUPS: tl.constexpr, PRODUCTS: tl.constexpr, FEATURES: tl.constexpr,
    PRECISION: tl.constexpr,
):  # fmt: skip
    """Store out[group, feature] = sum over products of matrix[product, feature] times the group's sums."""
    pairs = pairs.to(tl.int64)
    group = tl.program_id(0) * GROUPS + tl.arange(0, GROUPS).to(tl.int64)
    feature = tl.program_id(1) * FEATURES + tl.arange(0, FEATURES)
    start = tl.load(starts + group, mask=group < groups, other=0)
    count = tl.load(starts + group + 1, mask=group < groups, other=0) - start
    total = tl.zeros((GROUPS, FEATURES), dtype=out.dtype.element_ty)

    for first in range(0, products, PRODUCTS):
        k = first + tl.arange(0, PRODUCTS)
        sums = tl.zeros((GROUPS, PRODUCTS), dtype=out.dtype.element_ty)
        for t in range(tl.max(count, axis=0)):
            x, y, z = _products(values, powers, k, start + t, t < count, pairs, products, DEGREE)
            sums += x * y * z

        known = (k < products)[:, None] & (feature < width)[None, :]
        entries = tl.load(matrix + k[:, None] * width + feature[None, :], mask=known, other=0)
        total = tl.dot(sums, entries, total, input_precision=PRECISION, out_dtype=out.dtype.element_ty)

    known = (group < groups)[:, None] & (feature < width)[None, :]
    tl.store(out + group[:, None] * stride + feature[None, :], total, mask=known)


@triton.jit(do_not_specialize=SIZES)
def _differentiate(
    values, slopes, bends, powers, shares, of_pair, weight, by_mean, by_rho, by_weight,
    pairs, groups, products,
    DEGREE: tl.constexpr, PAIRS: tl.constexpr, PRODUCTS: tl.constexpr,
):  # fmt: skip
    """Store the derivatives of each pair, from shares[product, group], those by its group's products."""
    pairs = pairs.to(tl.int64)
    pair = tl.program_id(0) * PAIRS + tl.arange(0, PAIRS).to(tl.int64)
    there = pair < pairs
    group = tl.load(of_pair + pair, mask=there, other=0)
    none = tl.zeros((PAIRS,), dtype=by_weight.dtype.element_ty)
    mean_x, mean_y, mean_z, rho_x, rho_y, rho_z, plain = none, none, none, none, none, none, none

    for first in range(0, products, PRODUCTS):
        k = first + tl.arange(0, PRODUCTS)
        known = there[:, None] & (k < products)[None, :]
        share = tl.load(shares + k[None, :].to(tl.int64) * groups + group[:, None], mask=known, other=0)
        x, y, z = _products(values, powers, k, pair, there, pairs, products, DEGREE)
        dx, dy, dz = _products(slopes, powers, k, pair, there, pairs, products, DEGREE)
        ddx, ddy, ddz = _products(bends, powers, k, pair, there, pairs, products, DEGREE)

        yz, xz, xy = share * y * z, share * x * z, share * x * y
        plain += tl.sum(x * yz, axis=1)
        mean_x += tl.sum(dx * yz, axis=1)
        mean_y += tl.sum(dy * xz, axis=1)
        mean_z += tl.sum(dz * xy, axis=1)
        rho_x += tl.sum(ddx * yz, axis=1)
        rho_y += tl.sum(ddy * xz, axis=1)
        rho_z += tl.sum(ddz * xy, axis=1)

    factor = tl.load(weight + pair, mask=there, other=0)
    tl.store(by_weight + pair, plain, mask=there)
    tl.store(by_mean + 3 * pair, factor * mean_x, mask=there)
    tl.store(by_mean + 3 * pair + 1, factor * mean_y, mask=there)
    tl.store(by_mean + 3 * pair + 2, factor * mean_z, mask=there)
    tl.store(by_rho + 3 * pair, factor * rho_x, mask=there)
    tl.store(by_rho + 3 * pair + 1, factor * rho_y, mask=there)
    tl.store(by_rho + 3 * pair + 2, factor * rho_z, mask=there)


def group_features(means: Means, tables: BasisTensors, contract: str) -> Tensor:
    """Return (groups, features), as `moments.group_features` does."""
    pairs, groups = len(means.weight), means.groups
    values = _values(means, tables.degree)
    values[0] *= means.weight
    starts = torch.searchsorted(means.group, torch.arange(groups + 1, device=values.device))
    features = values.new_empty(groups, tables.features)
    column = 0

    for powers, matrix in zip(tables.powers, tables.matrices, strict=True):
        products, width = matrix.shape
        tile = max(16, min(FEATURES, triton.next_power_of_2(width)))
        _contract[triton.cdiv(groups, GROUPS), triton.cdiv(width, tile)](
            values, powers, matrix, starts, features[:, column:], pairs, groups, products, width,
            tables.features, tables.degree, GROUPS, PRODUCTS, tile, "tf32" if contract == "tf32" else "ieee",
        )  # fmt: skip
        column += width
    return features[:, tables.order]


def pair_derivatives(
    means: Means, cotangent: Tensor, tables: BasisTensors, contract: str
) -> tuple[Tensor, ...]:
    """Return the derivatives by mean, rho and weight, as `moments.pair_derivatives` does."""
    pairs = len(means.weight)
    values = _values(means, tables.degree)
    shares = torch.cat(by_products(cotangent, tables, contract))
    powers = torch.cat(tables.powers, dim=1)
    weight = means.weight.contiguous()
    derivatives = values.new_empty(pairs, 3), values.new_empty(pairs, 3), values.new_empty(pairs)

    _differentiate[(triton.cdiv(pairs, PAIRS),)](
        values, slopes_of(values), bends_of(values), powers, shares, means.group, weight, *derivatives,
        pairs, means.groups, len(shares), tables.degree, PAIRS, PRODUCTS,
    )  # fmt: skip
    return derivatives


def _values(means: Means, degree: int) -> Tensor:
    """Return (3, degree + 1, pairs), as `moments.along_axes` does."""
    mean, rho, pairs = means.mean.contiguous(), means.rho.contiguous(), len(means.mean)
    values = mean.new_empty(3, degree + 1, pairs)
    p = torch.arange(degree, dtype=mean.dtype, device=mean.device)
    steps = torch.stack([torch.sqrt(2 / (p + 1)), torch.sqrt(p / (p + 1))])

    _along_axes[triton.cdiv(pairs, 128), 3](mean, rho, steps, values, pairs, degree, 128)
    return values
