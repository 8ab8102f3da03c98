"""Sixteen float32 numbers at once, for the compiled loops: what a loop over lanes means, said outright.

A compiler that guesses which loops may become vector code gives up on many, without a word. A value of this kind is one
register of AVX-512, two of AVX2, four of SSE or of 64-bit Arm. Offsets count elements of an array's flat memory; arrays of
bfloat16 come as `uint16`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

__all__ = [
    "LANES",
    "WHOLE",
    "add",
    "between",
    "divide",
    "exp2",
    "greater",
    "greatest_lane",
    "load",
    "multiply",
    "multiply_add",
    "pointer",
    "positive_or",
    "prefetch",
    "prefetch_at",
    "splat",
    "store",
    "store_apart_at",
    "store_pairs_at",
    "subtract",
    "sum_lanes",
    "zero",
]

LANES = 16
WHOLE = np.float32(1.5 * 2**23)  # a sum with it keeps no fraction, and its last bits spell the whole number
FLOAT, INT, HALF, BYTE = ir.FloatType(), ir.IntType(32), ir.IntType(16), ir.IntType(8)


class Brain(ir.Type):  # type: ignore[misc]
    """The compiler's bfloat16, which llvmlite does not name."""

    def _to_string(self) -> str:
        return "bfloat"


BRAINS = ir.VectorType(Brain(), LANES)
FLOATS, INTS, HALVES = (ir.VectorType(each, LANES) for each in (FLOAT, INT, HALF))


class Lanes(types.Type):  # type: ignore[misc]
    """The compiled loops' type of sixteen float32 numbers."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes = Lanes()


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    """A vector of the compiler's own."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, FLOATS)


def constant(number: int) -> Any:
    """The integer in all lanes."""
    return ir.Constant(INTS, [number] * LANES)


def pointer(context: Any, builder: Any, kind: Any, array: Any, offset: Any, to: Any) -> Any:
    """The address of the element of an array at `offset` of its flat memory, as one of a value of the type `to`."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [offset]), to.as_pointer())


def call(builder: Any, name: str, result: Any, arguments: Sequence[Any], flags: Sequence[str] = ()) -> Any:
    """The result of one of the compiler's own functions."""
    kind = ir.FunctionType(result, [each.type for each in arguments])
    function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    return builder.call(function, arguments, fastmath=tuple(flags))


@intrinsic  # type: ignore[untyped-decorator]
def load(_context: Any, array: Any, _offset: Any) -> Any:
    """The sixteen numbers from `offset` on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = signature.args[0]
        if kind.dtype == types.float32:
            return builder.load(pointer(context, builder, kind, args[0], args[1], FLOATS), align=4)
        bits = builder.load(pointer(context, builder, kind, args[0], args[1], HALVES), align=2)
        return builder.bitcast(builder.shl(builder.zext(bits, INTS), constant(16)), FLOATS)

    return lanes(array, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def store(_context: Any, array: Any, _offset: Any, _numbers: Any) -> Any:
    """Writes sixteen numbers from `offset` on; bfloat16 is rounded to the nearest, ties to even."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = signature.args[0]
        if kind.dtype == types.float32:
            builder.store(args[2], pointer(context, builder, kind, args[0], args[1], FLOATS), align=4)
            return context.get_dummy_value()
        halves = builder.bitcast(builder.fptrunc(args[2], BRAINS), HALVES)
        builder.store(halves, pointer(context, builder, kind, args[0], args[1], HALVES), align=2)
        return context.get_dummy_value()

    return types.none(array, types.intp, lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def splat(_context: Any, _number: Any) -> Any:
    """The number in all lanes."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        one = builder.insert_element(ir.Constant(FLOATS, ir.Undefined), args[0], ir.Constant(INT, 0))
        return builder.shuffle_vector(one, one, ir.Constant(INTS, [0] * LANES))

    return lanes(types.float32), generate


@intrinsic  # type: ignore[untyped-decorator]
def zero(_context: Any) -> Any:
    """Zero in all lanes."""

    def generate(_ctx: Any, _builder: Any, _signature: Any, _args: Any) -> Any:
        return ir.Constant(FLOATS, [0.0] * LANES)

    return lanes(), generate


def of_two(compute: Callable[[Any, Any, Any], Any]) -> Any:
    """A function of two values, lane by lane."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return compute(builder, *args)

    @intrinsic  # type: ignore[untyped-decorator]
    def made(_context: Any, _one: Any, _other: Any) -> Any:
        return lanes(lanes, lanes), generate

    return made


def larger(builder: Any, one: Any, other: Any) -> Any:
    """The larger of two numbers, lane by lane."""
    return builder.select(builder.fcmp_ordered(">", one, other), one, other)


add = of_two(lambda builder, one, other: builder.fadd(one, other))
subtract = of_two(lambda builder, one, other: builder.fsub(one, other))
multiply = of_two(lambda builder, one, other: builder.fmul(one, other))
divide = of_two(lambda builder, one, other: builder.fdiv(one, other))
greater = of_two(larger)


@intrinsic  # type: ignore[untyped-decorator]
def multiply_add(_context: Any, _one: Any, _other: Any, _added: Any) -> Any:
    """one * other + added, in one step where the processor has it."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return call(builder, "llvm.fmuladd.v16f32", FLOATS, args)

    return lanes(lanes, lanes, lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def positive_or(_context: Any, _numbers: Any, _one: Any, _other: Any) -> Any:
    """`one` where a number is 0 or more, else `other`."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        numbers, one, other = args
        return builder.select(builder.fcmp_ordered(">=", numbers, ir.Constant(FLOATS, [0.0] * LANES)), one, other)

    return lanes(lanes, lanes, lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def add_to_exponent(_context: Any, _numbers: Any, _shifted: Any) -> Any:
    """Numbers times 2 to the power of whole numbers that had `WHOLE` added to them: the last bits, moved up."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        bits, shifted = (builder.bitcast(each, INTS) for each in args)
        return builder.bitcast(builder.add(bits, builder.shl(shifted, constant(23))), FLOATS)

    return lanes(lanes, lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def sum_lanes(_context: Any, _numbers: Any) -> Any:
    """The sum of the sixteen."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        start = ir.Constant(FLOAT, 0.0)
        return call(builder, "llvm.vector.reduce.fadd.v16f32", FLOAT, [start, args[0]], ["reassoc"])

    return types.float32(lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def greatest_lane(_context: Any, _numbers: Any) -> Any:
    """The greatest of the sixteen."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return call(builder, "llvm.vector.reduce.fmax.v16f32", FLOAT, args, ["nnan"])

    return types.float32(lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def between(_context: Any, _numbers: Any, _first: Any, _last: Any, _other: Any) -> Any:
    """The numbers of the lanes [first, last), and `other` in the rest."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        numbers, first, last, other = args
        places = ir.Constant(INTS, list(range(LANES)))
        bounds = [builder.trunc(each, INT) for each in (first, last)]
        low, high = (spread(builder, each) for each in bounds)
        kept = builder.and_(builder.icmp_signed(">=", places, low), builder.icmp_signed("<", places, high))
        return builder.select(kept, numbers, other)

    return lanes(lanes, types.intp, types.intp, lanes), generate


def spread(builder: Any, number: Any) -> Any:
    """A 32-bit integer in all lanes."""
    one = builder.insert_element(ir.Constant(INTS, ir.Undefined), number, ir.Constant(INT, 0))
    return builder.shuffle_vector(one, one, ir.Constant(INTS, [0] * LANES))


def ask_for(builder: Any, place: Any) -> None:
    """Asks for the cache line at an address."""
    numbers = [ir.Constant(INT, number) for number in (0, 2, 1)]  # to read, into the second level, data
    kind = ir.FunctionType(ir.VoidType(), [place.type, *(number.type for number in numbers)])
    builder.call(builder.module.declare_intrinsic("llvm.prefetch", [place.type], kind), [place, *numbers])


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(_context: Any, array: Any, _offset: Any) -> Any:
    """Asks for the cache line that holds the array's element at `offset`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ask_for(builder, pointer(context, builder, signature.args[0], args[0], args[1], BYTE))
        return context.get_dummy_value()

    return types.none(array, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def prefetch_at(_context: Any, _address: Any) -> Any:
    """Asks for the cache line at an address."""

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        ask_for(builder, builder.inttoptr(args[0], BYTE.as_pointer()))
        return context.get_dummy_value()

    return types.none(types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def store_pairs_at(_context: Any, array: Any, _offset: Any, _address: Any) -> Any:
    """Writes 32 bfloat16 numbers of an array, two by two, to 16 places that lie 64 bytes apart."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pairs = builder.load(pointer(context, builder, signature.args[0], args[0], args[1], INTS), align=2)
        scatter(builder, pairs, args[2], INT)
        return context.get_dummy_value()

    return types.none(array, types.intp, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def store_apart_at(_context: Any, array: Any, _offset: Any, _address: Any) -> Any:
    """Writes 16 bfloat16 numbers of an array to places that lie 4 bytes apart."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        numbers = builder.load(pointer(context, builder, signature.args[0], args[0], args[1], HALVES), align=2)
        for lane in range(LANES):
            number = builder.extract_element(numbers, ir.Constant(INT, lane))
            place = builder.add(args[2], ir.Constant(ir.IntType(64), 4 * lane))
            builder.store(number, builder.inttoptr(place, HALF.as_pointer()), align=2)
        return context.get_dummy_value()

    return types.none(array, types.intp, types.int64), generate


def scatter(builder: Any, numbers: Any, address: Any, kind: Any) -> None:
    """Writes each lane to its own cache line, from an address on."""
    for lane in range(LANES):
        number = builder.extract_element(numbers, ir.Constant(INT, lane))
        place = builder.add(address, ir.Constant(ir.IntType(64), 64 * lane))
        builder.store(number, builder.inttoptr(place, kind.as_pointer()), align=4)


# not `fastmath`: what is added and taken away again below must not be cancelled
@njit(fastmath={"contract", "nnan", "ninf", "nsz"})  # type: ignore[untyped-decorator]
def exp2(numbers: Any) -> Any:
    """2 to the power of numbers of 0 or less, to 2.2e-7 of it; of less than -126, 2 to the power of -126.

    The whole part, which adding `WHOLE` leaves in the last bits, goes into the exponent; the rest, from -1/2 to 1/2,
    through the polynomial of degree 5 with the least greatest relative error (7.5e-8, found by Lawson's algorithm).
    """
    numbers = greater(numbers, splat(np.float32(-126.0)))
    shifted = add(numbers, splat(WHOLE))
    rest = subtract(numbers, subtract(shifted, splat(WHOLE)))
    sums = splat(np.float32(0.0013276471519517899))
    sums = multiply_add(sums, rest, splat(np.float32(0.009675541330674739)))
    sums = multiply_add(sums, rest, splat(np.float32(0.05550713274961057)))
    sums = multiply_add(sums, rest, splat(np.float32(0.2402211972393404)))
    sums = multiply_add(sums, rest, splat(np.float32(0.6931469670638645)))
    sums = multiply_add(sums, rest, splat(np.float32(1.0000000716546564)))
    return add_to_exponent(sums, shifted)
