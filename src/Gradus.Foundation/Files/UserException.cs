namespace Gradus.Foundation.Files;

/// <summary>
/// Something the user gave is wrong: a recipe, a file, a flag. The message is one clear line (what, where, why, the nearest
/// valid choice) and is all the user sees; the command line turns it into exit code 2, never a stack trace.
/// </summary>
public class UserException(string message, Exception? inner = null) : Exception(message, inner);
