using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Pipeline;

/// <summary>A folder that appears whole or not at all: built beside its final name, one process at a time, and renamed at the end.</summary>
internal static class FolderBuild
{
    /// <param name="folder">The final name.</param>
    /// <param name="tryOpen">What is there already, or null when the name is free; throws when something else has it.</param>
    /// <param name="build">Fills a folder.</param>
    /// <param name="open">Opens what was built.</param>
    public static T Make<T>(string folder, Func<string, T?> tryOpen, Action<string> build, Func<string, T> open)
        where T : class
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (tryOpen(folder) is { } hit)
            return hit;
        // Everything is built beside the final name and renamed at the end; what a killed process left there is cleared first.
        var building = folder + ".building";
        var done = false;
        try
        {
            using var taken = RunLock.Take(building);
            if (tryOpen(folder) is { } other) // another process was quicker
                return other;
            var data = Path.Combine(building, "data");
            if (Directory.Exists(data))
                Directory.Delete(data, recursive: true);
            Directory.CreateDirectory(data);
            try
            {
                build(data);
                if (Directory.Exists(folder)) // empty, as tryOpen has seen
                    Directory.Delete(folder);
                Durable.PublishFolder(data, folder);
            }
            finally
            {
                if (Directory.Exists(data))
                    Directory.Delete(data, recursive: true);
                done = true;
            }
        }
        finally
        {
            // Also after a failure: nothing is left beside what was asked for. Not when the lock is another process's.
            if (done)
                Directory.Delete(building, recursive: true);
        }

        return open(folder);
    }
}
