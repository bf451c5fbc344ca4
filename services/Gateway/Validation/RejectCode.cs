namespace LeanPipe.Gateway.Validation;

/// <summary>Why a frame is no record. The snake_case text of a code is stable: it stands in rejected segments, in the ledger and in metrics.</summary>
enum RejectCode
{
    None,
    BadJson,
    BadUtf8,
    TooDeep,
    WrongType,
    UnknownEnumValue,
    MissingField,
    UnknownField,
    DuplicateField,
    NullValue,
    OutOfRange,
    PatternMismatch,
    TooShort,
    TooLong,
    TooFewItems,
    TooManyItems,
    BadTimestamp,
    BadBase64,

    /// <summary>A decimal has more digits than its type, or is a JSON number of more than 15 digits, which readers would round.</summary>
    TooPrecise,
    NoUnionMember,
    TooFarAhead,
    TooFarBehind,

    /// <summary>The record is good, but its window would be one more than the stream may have open.</summary>
    TooManyWindows,
    FrameTooLarge,
    BadCsv,
    WrongCellCount,

    /// <summary>The header of a CSV connection names other columns; every line of that connection is rejected, for its cells cannot be placed.</summary>
    BadHeader,

    /// <summary>No length stands where one belongs, so nothing says where the next frame begins: the connection ends.</summary>
    BadLength,
    BadKeyValue,
    BadSyslog,
    NoMatch,

    /// <summary>The frame has more or fewer bytes than the binary layout.</summary>
    WrongSize,
}

static class RejectCodes
{
    static readonly string[] Texts = [.. Enum.GetNames<RejectCode>().Select(System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    public static string Text(this RejectCode code) => Texts[(int)code];
}
