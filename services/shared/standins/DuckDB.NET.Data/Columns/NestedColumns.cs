using System.Collections;
using DuckDB.NET.Native;

namespace DuckDB.NET.Data;

/// <summary>LIST (entries point into the child) and ARRAY (a fixed number of children for each row).</summary>
internal sealed unsafe class ListColumn(string name, Column child, ulong? fixedSize) : Column(name, fixedSize is null ? TypeId.List : TypeId.Array)
{
    public override Type ClrType { get; } = typeof(List<>).MakeGenericType(child.ClrType);

    public override void Attach(nint vector)
    {
        base.Attach(vector);
        child.Attach(fixedSize is null ? NativeMethods.duckdb_list_vector_get_child(vector) : NativeMethods.duckdb_array_vector_get_child(vector));
    }

    public override object GetBoxed(ulong row)
    {
        var (start, count) = Children(row);
        return child.GetList(start, count);
    }

    public override object GetAs(ulong row, Type target)
    {
        if (!target.IsGenericType || target.GetGenericTypeDefinition() != typeof(List<>))
            return base.GetAs(row, target);
        var element = target.GetGenericArguments()[0];
        var (start, count) = Children(row);
        var list = (IList)Activator.CreateInstance(target)!;
        for (var i = start; i < start + count; i++)
        {
            if (!child.IsNull(i))
                list.Add(element == typeof(object) ? child.GetBoxed(i) : child.GetAs(i, Nullable.GetUnderlyingType(element) ?? element));
            else if (element.IsValueType && Nullable.GetUnderlyingType(element) is null)
                throw new InvalidCastException($"A list in column '{Name}' holds a null; read it as List<{element.Name}?>.");
            else
                list.Add(null);
        }

        return list;
    }

    (ulong Start, ulong Count) Children(ulong row)
    {
        if (fixedSize is { } size)
            return (row * size, size);
        var entry = ((ListEntry*)Data)[row];
        return (entry.Offset, entry.Length);
    }
}

internal sealed class StructColumn(string name, Column[] fields) : Column<Dictionary<string, object?>>(name, TypeId.Struct)
{
    public override void Attach(nint vector)
    {
        base.Attach(vector);
        for (var i = 0; i < fields.Length; i++)
            fields[i].Attach(NativeMethods.duckdb_struct_vector_get_child(vector, (ulong)i));
    }

    public override Dictionary<string, object?> Value(ulong row)
    {
        var value = new Dictionary<string, object?>(fields.Length, StringComparer.OrdinalIgnoreCase);
        foreach (var field in fields)
            value[field.Name] = field.IsNull(row) ? null : field.GetBoxed(row);
        return value;
    }
}

/// <summary>MAP: a list of structs of a key and a value.</summary>
internal sealed unsafe class MapColumn(string name, Column key, Column value) : Column(name, TypeId.Map)
{
    public override Type ClrType { get; } = typeof(Dictionary<,>).MakeGenericType(key.ClrType, value.ClrType);

    public override void Attach(nint vector)
    {
        base.Attach(vector);
        var entries = NativeMethods.duckdb_list_vector_get_child(vector);
        key.Attach(NativeMethods.duckdb_struct_vector_get_child(entries, 0));
        value.Attach(NativeMethods.duckdb_struct_vector_get_child(entries, 1));
    }

    public override object GetBoxed(ulong row)
    {
        var entry = ((ListEntry*)Data)[row];
        var keys = key.GetList(entry.Offset, entry.Length);
        var values = value.GetList(entry.Offset, entry.Length);
        var map = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(
            keys.GetType().GetGenericArguments()[0], values.GetType().GetGenericArguments()[0]))!;
        for (var i = 0; i < keys.Count; i++)
            map.Add(keys[i]!, values[i]);
        return map;
    }
}
