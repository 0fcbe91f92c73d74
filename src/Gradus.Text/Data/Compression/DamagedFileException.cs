using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Compression;

/// <summary>
/// The bytes of one file are cut, damaged or hostile. Apart from its base so that a reading that may leave bad records out can go on
/// with the next file, while a missing library or a wrong option still stops it.
/// </summary>
internal sealed class DamagedFileException(string message, Exception? inner = null) : UserException(message, inner);
