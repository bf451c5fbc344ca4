using System.Numerics;
using DuckDB.NET.Native;

namespace DuckDB.NET.Data;

internal sealed unsafe class BooleanColumn(string name) : Column<bool>(name, TypeId.Boolean)
{
    public override bool Value(ulong row) => Data[row] != 0;
}

internal sealed unsafe class NumberColumn<TNumber>(string name, TypeId type) : Column<TNumber>(name, type)
    where TNumber : unmanaged, INumber<TNumber>
{
    public override TNumber Value(ulong row) => ((TNumber*)Data)[row];

    public override object GetAs(ulong row, Type target) => Numbers.Convert(Value(row), target) ?? base.GetAs(row, target);
}

internal sealed unsafe class HugeIntColumn(string name, TypeId type) : Column<BigInteger>(name, type)
{
    public override BigInteger Value(ulong row)
    {
        var value = ((HugeInt*)Data)[row];
        return Type == TypeId.HugeInt ? (BigInteger)value.Signed : (BigInteger)value.Unsigned;
    }

    public override object GetAs(ulong row, Type target) => Numbers.Convert(Value(row), target) ?? base.GetAs(row, target);
}

/// <summary>DECIMAL(width, scale): an integer of 16 to 128 bits, divided by ten to the power of the scale.</summary>
internal sealed unsafe class DecimalColumn(string name, LogicalTypeHandle logical) : Column<decimal>(name, TypeId.Decimal)
{
    readonly TypeId _storage = NativeMethods.duckdb_decimal_internal_type(logical);

    public byte Width { get; } = NativeMethods.duckdb_decimal_width(logical);

    public byte Scale { get; } = NativeMethods.duckdb_decimal_scale(logical);

    /// <remarks>System.Decimal has 28 to 29 digits: further places are rounded off, a larger whole part is an overflow.</remarks>
    public override decimal Value(ulong row)
    {
        var mantissa = _storage switch
        {
            TypeId.SmallInt => ((short*)Data)[row],
            TypeId.Integer => ((int*)Data)[row],
            TypeId.BigInt => ((long*)Data)[row],
            _ => ((HugeInt*)Data)[row].Signed,
        };
        var magnitude = (UInt128)Int128.Abs(mantissa);
        if (magnitude >> 96 == 0 && Scale <= 28)
            return new decimal((int)(uint)magnitude, (int)(uint)(magnitude >> 32), (int)(uint)(magnitude >> 64), mantissa < 0, Scale);

        var unit = BigInteger.Pow(10, Scale);
        var whole = BigInteger.DivRem((BigInteger)mantissa, unit, out var rest);
        var cut = BigInteger.Pow(10, Math.Max(0, Scale - 28));
        return (decimal)whole + (decimal)(rest / cut) / (decimal)(unit / cut);
    }

    public override object GetAs(ulong row, Type target) => Numbers.Convert(Value(row), target) ?? base.GetAs(row, target);
}

internal static class Numbers
{
    /// <summary>The same number in another type, or an overflow. Null: the target is no number.</summary>
    public static object? Convert<TNumber>(TNumber value, Type target) where TNumber : INumber<TNumber> => Type.GetTypeCode(target) switch
    {
        _ when target.IsEnum => Enum.ToObject(target, long.CreateChecked(value)),
        TypeCode.SByte => sbyte.CreateChecked(value),
        TypeCode.Byte => byte.CreateChecked(value),
        TypeCode.Int16 => short.CreateChecked(value),
        TypeCode.UInt16 => ushort.CreateChecked(value),
        TypeCode.Int32 => int.CreateChecked(value),
        TypeCode.UInt32 => uint.CreateChecked(value),
        TypeCode.Int64 => long.CreateChecked(value),
        TypeCode.UInt64 => ulong.CreateChecked(value),
        TypeCode.Single => float.CreateChecked(value),
        TypeCode.Double => double.CreateChecked(value),
        TypeCode.Decimal => decimal.CreateChecked(value),
        _ when target == typeof(BigInteger) => BigInteger.CreateChecked(value),
        _ => null,
    };
}
