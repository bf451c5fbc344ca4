using System.Collections;
using System.Data.Common;

namespace DuckDB.NET.Data;

public class DuckDBParameterCollection : DbParameterCollection
{
    readonly List<DuckDBParameter> _parameters = [];

    internal DuckDBParameterCollection()
    {
    }

    public override int Count => _parameters.Count;

    public override object SyncRoot => ((ICollection)_parameters).SyncRoot;

    public new DuckDBParameter this[int index] { get => _parameters[index]; set => _parameters[index] = value; }

    public new DuckDBParameter this[string parameterName] { get => _parameters[Find(parameterName)]; set => _parameters[Find(parameterName)] = value; }

    public int Add(DuckDBParameter value)
    {
        _parameters.Add(value);
        return _parameters.Count - 1;
    }

    public override int Add(object value) => Add((DuckDBParameter)value);

    public void AddRange(IEnumerable<DuckDBParameter> values) => _parameters.AddRange(values);

    public override void AddRange(Array values) => AddRange(values.Cast<DuckDBParameter>());

    public override void Clear() => _parameters.Clear();

    public override bool Contains(object value) => value is DuckDBParameter parameter && _parameters.Contains(parameter);

    public override bool Contains(string value) => IndexOf(value) >= 0;

    public override void CopyTo(Array array, int index) => ((ICollection)_parameters).CopyTo(array, index);

    public override IEnumerator GetEnumerator() => _parameters.GetEnumerator();

    public override int IndexOf(object value) => value is DuckDBParameter parameter ? _parameters.IndexOf(parameter) : -1;

    public override int IndexOf(string parameterName) => _parameters.FindIndex(p => string.Equals(p.ParameterName, parameterName, StringComparison.Ordinal));

    public override void Insert(int index, object value) => _parameters.Insert(index, (DuckDBParameter)value);

    public override void Remove(object value) => _parameters.Remove((DuckDBParameter)value);

    public override void RemoveAt(int index) => _parameters.RemoveAt(index);

    public override void RemoveAt(string parameterName) => _parameters.RemoveAt(Find(parameterName));

    protected override DbParameter GetParameter(int index) => _parameters[index];

    protected override DbParameter GetParameter(string parameterName) => this[parameterName];

    protected override void SetParameter(int index, DbParameter value) => _parameters[index] = (DuckDBParameter)value;

    protected override void SetParameter(string parameterName, DbParameter value) => this[parameterName] = (DuckDBParameter)value;

    int Find(string parameterName)
    {
        var index = IndexOf(parameterName);
        return index >= 0 ? index : throw new ArgumentException($"There is no parameter named '{parameterName}'.", nameof(parameterName));
    }
}
