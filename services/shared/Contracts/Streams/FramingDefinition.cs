namespace LeanPipe.Contracts;

/// <summary>How a byte stream is cut into frames (docs/specs/wire.md). In every framing an empty frame is no frame, and what the last frame lacks at the end of a connection makes it partial.</summary>
public abstract record FramingDefinition;

/// <summary>A frame ends with LF, or CR LF.</summary>
public sealed record NewlineFramingDefinition : FramingDefinition;

/// <summary>A frame ends with one byte, which cannot stand in it.</summary>
public sealed record DelimiterFramingDefinition(byte Delimiter) : FramingDefinition;

/// <summary>An unsigned length of 1, 2 or 4 bytes stands before each frame.</summary>
/// <param name="IncludesHeader">Whether the length counts its own bytes.</param>
public sealed record LengthPrefixFramingDefinition(int Bytes, bool BigEndian = true, bool IncludesHeader = false) : FramingDefinition;

/// <summary>An unsigned LEB128 length stands before each frame, as in protocol buffers' delimited messages.</summary>
public sealed record VarintFramingDefinition : FramingDefinition;

/// <summary>RFC 6587 section 3.4.1: a decimal length and a space stand before each frame.</summary>
public sealed record OctetCountingFramingDefinition : FramingDefinition;

/// <summary>Every frame has so many bytes.</summary>
public sealed record FixedFramingDefinition(int Bytes) : FramingDefinition;
