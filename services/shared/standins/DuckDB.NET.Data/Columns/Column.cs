using System.Collections;
using System.Runtime.CompilerServices;
using DuckDB.NET.Native;

namespace DuckDB.NET.Data;

/// <summary>Reads one vector of the current data chunk in place; moved to the next chunk's vector by <see cref="Attach"/>.</summary>
/// <remarks>What it returns is copied out: it outlives the chunk.</remarks>
internal abstract unsafe class Column(string name, TypeId type)
{
    ulong* _validity;

    public string Name => name;

    public TypeId Type => type;

    public abstract Type ClrType { get; }

    protected nint Vector { get; private set; }

    protected byte* Data { get; private set; }

    public virtual void Attach(nint vector)
    {
        Vector = vector;
        Data = NativeMethods.duckdb_vector_get_data(vector);
        _validity = NativeMethods.duckdb_vector_get_validity(vector);
    }

    public bool IsNull(ulong row) => _validity != null && (_validity[row >> 6] & (1UL << (int)(row & 63))) == 0;

    public virtual T Get<T>(ulong row)
    {
        if (!IsNull(row))
            return typeof(T) == typeof(object) ? (T)GetBoxed(row) : (T)GetAs(row, Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T));
        return Nullable.GetUnderlyingType(typeof(T)) is not null
            ? default!
            : throw new InvalidCastException($"Column '{name}' is null in this row; ask IsDBNull first, or read a nullable type.");
    }

    /// <summary>The value as <see cref="ClrType"/>. The row must not be null; neither must it in <see cref="GetAs"/>.</summary>
    public abstract object GetBoxed(ulong row);

    /// <summary>The value as a type that the caller asked for.</summary>
    public virtual object GetAs(ulong row, Type target)
    {
        var value = GetBoxed(row);
        return target.IsInstanceOfType(value)
            ? value
            : throw new InvalidCastException($"Column '{name}' is {type} and reads as {ClrType.Name}; {target.Name} was asked for. Cast it in the SQL, or ask for {ClrType.Name}.");
    }

    /// <summary>A list of <see cref="ClrType"/>; of its nullable form when it is a value type and one of the rows is null.</summary>
    public virtual IList GetList(ulong start, ulong count)
    {
        var items = new object?[count];
        for (var i = 0UL; i < count; i++)
            items[i] = IsNull(start + i) ? null : GetBoxed(start + i);
        var types = items.Where(item => item is not null).Select(item => item!.GetType()).Distinct().ToArray();
        var element = types.Length switch { 0 => ClrType, 1 => types[0], _ => typeof(object) };
        if (element.IsValueType && items.Contains(null))
            element = typeof(Nullable<>).MakeGenericType(element);
        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(element))!;
        Array.ForEach(items, item => list.Add(item));
        return list;
    }
}

internal abstract class Column<TValue>(string name, TypeId type) : Column(name, type) where TValue : notnull
{
    public override Type ClrType => typeof(TValue);

    public abstract TValue Value(ulong row);

    public override object GetBoxed(ulong row) => Value(row);

    public override T Get<T>(ulong row)
    {
        if (typeof(T) != typeof(TValue) || IsNull(row))
            return base.Get<T>(row);
        var value = Value(row);
        return Unsafe.As<TValue, T>(ref value);
    }

    public override IList GetList(ulong start, ulong count)
    {
        var values = new List<TValue>((int)count);
        for (var row = start; row < start + count; row++)
        {
            if (!IsNull(row))
                values.Add(Value(row));
            else if (default(TValue) is null)
                values.Add(default!);
            else
                return base.GetList(start, count);
        }

        return values;
    }
}
