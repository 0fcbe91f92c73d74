using System.Globalization;

namespace Gradus.Training.Loop;

/// <summary>One axis of a <see cref="SvgChart"/>: from values to pixels, and where round numbers fall.</summary>
internal sealed class ChartAxis
{
    private readonly bool _log;
    private readonly double _low, _high, _from, _to;

    /// <summary>An axis over values, from one pixel to another; <paramref name="tight"/> ends it at the data, otherwise at the next round number.</summary>
    public ChartAxis(IEnumerable<double> values, bool log, double fromPixel, double toPixel, bool tight)
    {
        var (low, high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values)
            (low, high) = (Math.Min(low, value), Math.Max(high, value));
        if (low > high)
            (low, high) = log ? (1, 10) : (0, 1);
        if (low == high) // one value: room around it
            (low, high) = log ? (low / 2, high * 2) : (low - Math.Max(0.5, Math.Abs(low) / 2), high + Math.Max(0.5, Math.Abs(high) / 2));
        if (tight && !log && low > 0 && low < 0.05 * high)
            low = 0; // steps that begin at 1
        if (!tight && log)
        {
            // A little air, so that the curve does not end on the frame.
            var air = Math.Pow(high / low, 0.04);
            (low, high) = (low / air, high * air);
        }
        else if (!tight)
        {
            var step = RoundStep((high - low) / 12);
            (low, high) = (Math.Floor(low / step) * step, Math.Ceiling(high / step) * step);
        }

        (_log, _low, _high, _from, _to) = (log, low, high, fromPixel, toPixel);
    }

    /// <summary>A number as briefly as a reader needs it: three to four digits, thousands as k, millions as M.</summary>
    public static string Short(double value) => Math.Abs(value) switch
    {
        0 => "0",
        >= 999_500_000 => Digits(value / 1e9) + "B",
        >= 999_500 => Digits(value / 1e6) + "M",
        >= 9_999.5 => Digits(value / 1e3) + "k",
        >= 999.5 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 0.001 => Digits(value),
        _ => value.ToString("0.##e0", CultureInfo.InvariantCulture),
    };

    public double Pixel(double value) => _log
        ? _from + ((Math.Log(value) - Math.Log(_low)) / (Math.Log(_high) - Math.Log(_low)) * (_to - _from))
        : _from + ((value - _low) / (_high - _low) * (_to - _from));

    /// <summary>Round values with their texts, about <paramref name="about"/> of them.</summary>
    public IEnumerable<(double Value, string Text)> Ticks(int about) => _log && _high / _low >= 4 ? LogTicks(about) : LinearTicks(about);

    private static string Digits(double value) => Math.Abs(value) switch
    {
        >= 100 => value.ToString("0.#", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.##", CultureInfo.InvariantCulture),
        >= 1 => value.ToString("0.###", CultureInfo.InvariantCulture),
        _ => value.ToString("0.####", CultureInfo.InvariantCulture),
    };

    /// <summary>The next of 1, 2, 2.5, 5 times a power of ten.</summary>
    private static double RoundStep(double rough)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 2.5 => 2.5, <= 5 => 5, _ => 10 } * power;
    }

    private IEnumerable<(double Value, string Text)> LinearTicks(int about)
    {
        var step = RoundStep((_high - _low) / Math.Max(1, about));
        var (first, last) = ((long)Math.Ceiling((_low / step) - 1e-9), (long)Math.Floor((_high / step) + 1e-9));
        for (var i = first; i <= last; i++)
        {
            // One number of decimals for the whole axis: 2.5, 3.0, 3.5.
            var largest = Math.Max(Math.Abs(_low), Math.Abs(_high));
            var (unit, suffix) = largest switch { >= 1e9 => (1e9, "B"), >= 1e6 => (1e6, "M"), >= 1e4 => (1e3, "k"), _ => (1.0, "") };
            var decimals = Math.Clamp((int)-Math.Floor(Math.Log10(step / unit) + 1e-9), 0, 12);
            if (decimals < 12 && Math.Abs((step / unit * Math.Pow(10, decimals)) - Math.Round(step / unit * Math.Pow(10, decimals))) > 1e-6)
                decimals++; // 2.5 times a power of ten
            var value = i * step;
            yield return (value, i == 0 ? "0" : largest < 1e-4 ? Short(value) : (value / unit).ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) + suffix);
        }
    }

    private IEnumerable<(double Value, string Text)> LogTicks(int about)
    {
        var decades = Math.Log10(_high / _low);
        int[] leads = decades * 9 <= about + 3 ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : decades * 3 <= about + 1 ? [1, 2, 5] : [1];
        var every = Math.Max(1, (int)Math.Ceiling(decades / (about + 1)));
        for (var power = (int)Math.Floor(Math.Log10(_low)); power <= Math.Log10(_high); power++)
        {
            foreach (var lead in leads)
            {
                var value = lead * Math.Pow(10, power);
                if (power % every == 0 && value >= _low * (1 - 1e-9) && value <= _high * (1 + 1e-9))
                    yield return (value, Short(value));
            }
        }
    }
}
