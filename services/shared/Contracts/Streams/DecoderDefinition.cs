namespace LeanPipe.Contracts;

/// <summary>How a frame becomes a record.</summary>
public abstract record DecoderDefinition;

/// <summary>A frame is one JSON object, kept byte for byte unless the schema changes it.</summary>
public sealed record JsonDecoderDefinition : DecoderDefinition;

/// <summary>A frame holds texts that become fields by name.</summary>
public abstract record CellDecoderDefinition : DecoderDefinition
{
    /// <summary>Fields that are not in the frame but the same for the whole stream.</summary>
    public abstract IReadOnlyDictionary<string, string>? Constants { get; init; }
}

/// <summary>A frame is one line of CSV (RFC 4180 quoting within the line); its cells become the schema's fields by position.</summary>
/// <param name="Columns">Field names in the order of the cells.</param>
/// <param name="Header">Whether the first line of a connection is a header: it must equal <paramref name="Columns"/> and is no record.</param>
public sealed record CsvDecoderDefinition(
    IReadOnlyList<string> Columns, bool Header, char Delimiter = ',', IReadOnlyDictionary<string, string>? Constants = null) : CellDecoderDefinition;

/// <summary>A frame is pairs <c>key=value</c> apart by a delimiter (logfmt), values quoted where they must be; keys are field names or their aliases.</summary>
public sealed record KeyValueDecoderDefinition(char Delimiter = ' ', IReadOnlyDictionary<string, string>? Constants = null) : CellDecoderDefinition;

/// <summary>A frame is a structure of a fixed size.</summary>
/// <param name="Size">Bytes of every frame.</param>
public sealed record BinaryDecoderDefinition(int Size, IReadOnlyList<BinaryField> Fields, IReadOnlyDictionary<string, string>? Constants = null) : CellDecoderDefinition;

/// <param name="At">Bytes from the beginning of the frame.</param>
/// <param name="Length">Bytes that it takes.</param>
/// <param name="Scale">What the number is multiplied with, exactly.</param>
public sealed record BinaryField(string Field, int At, BinaryType Type, int Length, bool BigEndian = false, decimal Scale = 1);

public enum BinaryType
{
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,

    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>UTF-8, padded at its end with NUL or spaces.</summary>
    Text,

    /// <summary>As base64.</summary>
    Bytes,
}

/// <summary>A frame is text that a regular expression takes apart; its named groups are field names.</summary>
public sealed record RegexDecoderDefinition(string Pattern, IReadOnlyDictionary<string, string>? Constants = null) : CellDecoderDefinition;

/// <summary>A frame is a syslog message; those of its parts that the schema names become fields.</summary>
/// <param name="Zone">Of RFC 3164 timestamps, which have none.</param>
public sealed record SyslogDecoderDefinition(SyslogFormat Format = SyslogFormat.Any, TimeSpan Zone = default, IReadOnlyDictionary<string, string>? Constants = null) : CellDecoderDefinition
{
    public static readonly IReadOnlyList<string> Parts = ["facility", "severity", "timestamp", "hostname", "app_name", "proc_id", "msg_id", "structured_data", "message"];
}

public enum SyslogFormat
{
    /// <summary>What begins with a version behind the priority is RFC 5424, the rest RFC 3164.</summary>
    Any,
    Rfc5424,
    Rfc3164,
}

/// <summary>A frame becomes one field of bytes, whatever it holds.</summary>
public sealed record RawDecoderDefinition(string Field, IReadOnlyDictionary<string, string>? Constants = null) : CellDecoderDefinition;
