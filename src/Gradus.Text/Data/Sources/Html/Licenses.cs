namespace Gradus.Text.Data.Sources.Html;

/// <summary>SPDX ids of the licences that pages and code trees name most.</summary>
internal static class Licenses
{
    /// <summary>The SPDX id of a Creative Commons address; another address as it is; null for none.</summary>
    public static string? OfUrl(string? url)
    {
        if (string.IsNullOrWhiteSpace(url))
            return null;
        var at = url.IndexOf("creativecommons.org/", StringComparison.OrdinalIgnoreCase);
        if (at < 0)
            return url;
        var parts = url[(at + "creativecommons.org/".Length)..].ToLowerInvariant().Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts switch
        {
            ["publicdomain", "zero", var v, ..] => $"CC0-{v}",
            ["publicdomain", "mark", ..] or ["licenses", "publicdomain", ..] => "public domain",
            ["licenses", var terms, var v, ..] => $"CC-{terms.ToUpperInvariant()}-{v}",
            _ => url,
        };
    }

    /// <summary>The SPDX id of a licence text by its telling sentences, or null.</summary>
    public static string? OfText(string text)
    {
        var t = HtmlWalk.Collapse(text);
        bool Has(string part) => t.Contains(part, StringComparison.OrdinalIgnoreCase);
        if (Has("Apache License") && Has("Version 2.0"))
            return "Apache-2.0";
        if (Has("Permission is hereby granted, free of charge") && Has("without restriction"))
            return "MIT";
        if (Has("GNU AFFERO GENERAL PUBLIC LICENSE"))
            return "AGPL-3.0";
        if (Has("GNU LESSER GENERAL PUBLIC LICENSE"))
            return Has("Version 3") ? "LGPL-3.0" : "LGPL-2.1";
        if (Has("GNU GENERAL PUBLIC LICENSE"))
            return Has("Version 3") ? "GPL-3.0" : "GPL-2.0";
        if (Has("Mozilla Public License"))
            return Has("2.0") ? "MPL-2.0" : "MPL-1.1";
        if (Has("Redistribution and use in source and binary forms"))
            return Has("Neither the name") ? "BSD-3-Clause" : "BSD-2-Clause";
        if (Has("This is free and unencumbered software released into the public domain"))
            return "Unlicense";
        if (Has("CC0 1.0 Universal"))
            return "CC0-1.0";
        return Has("Permission to use, copy, modify, and/or distribute this software for any purpose") ? "ISC" : null;
    }
}
