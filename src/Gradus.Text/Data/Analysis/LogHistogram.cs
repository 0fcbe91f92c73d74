namespace Gradus.Text.Data.Analysis;

/// <summary>How numbers above 0 are spread, in bounded memory: bins that are 5 % wide. The ends and the mean are exact.</summary>
internal sealed class LogHistogram
{
    private const double Width = 1.05;

    private readonly SortedDictionary<int, long> _bins = [];
    private long _count;
    private double _sum, _least = double.PositiveInfinity, _greatest;

    public void Add(double value)
    {
        _count++;
        _sum += value;
        (_least, _greatest) = (Math.Min(_least, value), Math.Max(_greatest, value));
        var bin = (int)Math.Floor(Math.Log(Math.Max(1, value)) / Math.Log(Width));
        _bins[bin] = _bins.GetValueOrDefault(bin) + 1;
    }

    public AuditSpread Report()
    {
        if (_count == 0)
            return new AuditSpread(0, 0, 0, 0, 0, 0, []);
        var bars = new List<AuditBin>();
        foreach (var (bin, count) in _bins)
        {
            var from = Math.Pow(2, Math.Floor(Math.Log2(Math.Pow(Width, bin + 0.5))));
            if (bars.Count > 0 && bars[^1].From == from)
                bars[^1] = bars[^1] with { Count = bars[^1].Count + count };
            else
            {
                while (bars.Count > 0 && bars[^1].To < from)
                    bars.Add(new AuditBin(bars[^1].To, bars[^1].To * 2, 0));
                bars.Add(new AuditBin(from, from * 2, count));
            }
        }

        return new AuditSpread(_least, Quantile(0.1), Quantile(0.5), _sum / _count, Quantile(0.9), _greatest, bars);
    }

    private double Quantile(double share)
    {
        var (rank, seen) = ((long)Math.Ceiling(share * _count), 0L);
        foreach (var (bin, count) in _bins)
        {
            seen += count;
            if (seen >= rank)
                return Math.Clamp(Math.Round(Math.Pow(Width, bin + 0.5)), _least, _greatest);
        }

        return _greatest;
    }
}
