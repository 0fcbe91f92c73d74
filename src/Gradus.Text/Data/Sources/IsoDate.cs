using System.Globalization;

namespace Gradus.Text.Data.Sources;

/// <summary>Dates as files have them, in the one form of <see cref="MetaKeys.Date"/>.</summary>
internal static class IsoDate
{
    private static readonly string[] s_days = ["yyyy-M-d", "yyyy/M/d", "yyyy.M.d", "yyyyMMdd", "d MMM yyyy", "d MMMM yyyy", "MMM d, yyyy", "MMMM d, yyyy", "MMM d yyyy", "MMMM d yyyy"];
    private static readonly string[] s_times = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ssK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss 'UTC'", "yyyyMMddHHmmss",
        "ddd, d MMM yyyy HH:mm:ss zzz", "ddd, d MMM yyyy HH:mm:ss 'GMT'", "d MMM yyyy HH:mm:ss zzz", "ddd, d MMM yyyy HH:mm zzz", "ddd MMM d HH:mm:ss yyyy"];

    /// <summary>ISO 8601 in UTC, a day, a month or a year; null when it is none of the known ways to write one.</summary>
    public static string? Of(string text)
    {
        text = text.Trim();
        if (text.Length == 4 && text.All(char.IsAsciiDigit))
            return text;
        if (text.Length == 7 && text[4] == '-' && DateOnly.TryParseExact(text + "-01", "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            return text;
        if (DateOnly.TryParseExact(text, s_days, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
            return day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        if (DateTimeOffset.TryParseExact(WithColon(text), s_times, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowInnerWhite, out var time))
            return Text(time);
        // Seconds or milliseconds since 1970, from 1980 on: smaller numbers are more likely something else.
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds is > 315_532_800 and < 1e14)
            return Text(DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds < 1e11 ? seconds * 1000 : seconds)));
        return null;
    }

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    // "+0200" as mails have it; and a comment behind it, "(CEST)".
    private static string WithColon(string text)
    {
        var comment = text.IndexOf(" (", StringComparison.Ordinal);
        if (comment > 0)
            text = text[..comment];
        return text.Length > 5 && text[^5] is '+' or '-' && text[^4..].All(char.IsAsciiDigit) && text.Contains(':', StringComparison.Ordinal) ? text.Insert(text.Length - 2, ":") : text;
    }
}
