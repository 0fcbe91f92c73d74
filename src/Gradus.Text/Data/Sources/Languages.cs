namespace Gradus.Text.Data.Sources;

/// <summary>Languages as files name them, as BCP 47 has them.</summary>
internal static class Languages
{
    private static readonly Dictionary<string, string> s_names = new(StringComparer.OrdinalIgnoreCase)
    {
        ["english"] = "en", ["eng"] = "en", ["german"] = "de", ["deu"] = "de", ["ger"] = "de", ["french"] = "fr", ["fra"] = "fr", ["fre"] = "fr", ["spanish"] = "es", ["spa"] = "es",
        ["italian"] = "it", ["ita"] = "it", ["portuguese"] = "pt", ["por"] = "pt", ["dutch"] = "nl", ["nld"] = "nl", ["dut"] = "nl", ["russian"] = "ru", ["rus"] = "ru", ["polish"] = "pl", ["pol"] = "pl",
        ["chinese"] = "zh", ["zho"] = "zh", ["chi"] = "zh", ["japanese"] = "ja", ["jpn"] = "ja", ["korean"] = "ko", ["kor"] = "ko", ["arabic"] = "ar", ["ara"] = "ar", ["hindi"] = "hi", ["hin"] = "hi",
        ["turkish"] = "tr", ["tur"] = "tr", ["greek"] = "el", ["ell"] = "el", ["latin"] = "la", ["lat"] = "la", ["finnish"] = "fi", ["fin"] = "fi", ["swedish"] = "sv", ["swe"] = "sv",
        ["danish"] = "da", ["dan"] = "da", ["norwegian"] = "no", ["nor"] = "no", ["hungarian"] = "hu", ["hun"] = "hu", ["czech"] = "cs", ["ces"] = "cs", ["cze"] = "cs", ["romanian"] = "ro", ["ron"] = "ro",
        ["ukrainian"] = "uk", ["ukr"] = "uk", ["hebrew"] = "he", ["heb"] = "he", ["vietnamese"] = "vi", ["vie"] = "vi", ["indonesian"] = "id", ["ind"] = "id", ["persian"] = "fa", ["fas"] = "fa",
        ["thai"] = "th", ["tha"] = "th", ["bengali"] = "bn", ["ben"] = "bn", ["catalan"] = "ca", ["cat"] = "ca", ["bulgarian"] = "bg", ["bul"] = "bg", ["croatian"] = "hr", ["hrv"] = "hr", ["slovak"] = "sk", ["slk"] = "sk",
        ["esperanto"] = "eo", ["epo"] = "eo", ["welsh"] = "cy", ["cym"] = "cy", ["tagalog"] = "tl", ["tgl"] = "tl", ["tamil"] = "ta", ["tam"] = "ta", ["urdu"] = "ur", ["urd"] = "ur",
    };

    /// <summary>The two-letter code of a name or three-letter code that is known; else what was given.</summary>
    public static string Bcp47(string name) => s_names.GetValueOrDefault(name.Trim(), name.Trim());
}
