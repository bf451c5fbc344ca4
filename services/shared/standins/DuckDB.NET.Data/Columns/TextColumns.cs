using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using DuckDB.NET.Native;

namespace DuckDB.NET.Data;

/// <summary>duckdb_string_t: a 32-bit length; up to 12 bytes follow in place, else four of them and a pointer.</summary>
internal static unsafe class StringVector
{
    public static ReadOnlySpan<byte> Bytes(byte* data, ulong row)
    {
        var entry = data + row * 16;
        var length = *(int*)entry;
        return new ReadOnlySpan<byte>(length <= 12 ? entry + 4 : *(byte**)(entry + 8), length);
    }
}

internal sealed unsafe class TextColumn(string name) : Column<string>(name, TypeId.Varchar)
{
    public override string Value(ulong row) => Encoding.UTF8.GetString(StringVector.Bytes(Data, row));
}

internal sealed unsafe class BlobColumn(string name) : Column<Stream>(name, TypeId.Blob)
{
    public override Stream Value(ulong row) => new MemoryStream(StringVector.Bytes(Data, row).ToArray(), writable: false);

    public override object GetAs(ulong row, Type target) =>
        target == typeof(byte[]) ? StringVector.Bytes(Data, row).ToArray() : base.GetAs(row, target);
}

/// <summary>BIT: the first byte says how many leading bits of the second are padding.</summary>
internal sealed unsafe class BitColumn(string name) : Column<string>(name, TypeId.Bit)
{
    public override string Value(ulong row)
    {
        var bytes = StringVector.Bytes(Data, row);
        return string.Concat(bytes[1..].ToArray().Select(b => b.ToString("b8")))[bytes[0]..];
    }
}

/// <summary>UUID: a 128-bit number whose highest bit is flipped, so that it sorts as a signed one.</summary>
internal sealed unsafe class UuidColumn(string name) : Column<Guid>(name, TypeId.Uuid)
{
    public override Guid Value(ulong row)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, ((HugeInt*)Data)[row].Unsigned ^ (UInt128.One << 127));
        return new Guid(bytes, bigEndian: true);
    }
}

internal sealed unsafe class EnumColumn : Column<string>
{
    readonly string[] _values;
    readonly TypeId _storage;

    public EnumColumn(string name, LogicalTypeHandle logical) : base(name, TypeId.Enum)
    {
        _storage = NativeMethods.duckdb_enum_internal_type(logical);
        _values = new string[NativeMethods.duckdb_enum_dictionary_size(logical)];
        for (var i = 0; i < _values.Length; i++)
        {
            var text = NativeMethods.duckdb_enum_dictionary_value(logical, (ulong)i);
            _values[i] = Marshal.PtrToStringUTF8(text) ?? "";
            NativeMethods.duckdb_free(text);
        }
    }

    public override string Value(ulong row) => _values[_storage switch
    {
        TypeId.UnsignedTinyInt => Data[row],
        TypeId.UnsignedSmallInt => ((ushort*)Data)[row],
        _ => ((uint*)Data)[row],
    }];

    public override object GetAs(ulong row, Type target) =>
        target.IsEnum ? Enum.Parse(target, Value(row)) : base.GetAs(row, target);
}

/// <summary>A type that the official package does not read either: its name can be asked for, its values cannot.</summary>
internal sealed class UnreadableColumn(string name, TypeId type) : Column(name, type)
{
    public override Type ClrType => typeof(object);

    public override object GetBoxed(ulong row) => throw new NotSupportedException($"Column '{Name}' has a type that cannot be read ({Type}); cast it to VARCHAR in the SQL.");
}
