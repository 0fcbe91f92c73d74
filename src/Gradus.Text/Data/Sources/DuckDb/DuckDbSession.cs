using System.Runtime.InteropServices;
using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Sources.DuckDb;

/// <summary>One in-memory DuckDB: bounded memory, one thread (so that rows come in their order), no network, nothing installed.</summary>
internal sealed unsafe class DuckDbSession : IDisposable
{
    private const int Success = 0;

    private static readonly (string Name, string Value)[] s_settings =
        [("threads", "1"), ("memory_limit", "1GB"), ("autoinstall_known_extensions", "false"), ("autoload_known_extensions", "false"), ("temp_directory", ""), ("preserve_insertion_order", "true")];

    private readonly Api _api = Api.Load();
    private nint _database, _connection;

    public DuckDbSession()
    {
        nint config;
        _api.CreateConfig(&config);
        foreach (var (name, value) in s_settings)
        {
            using var n = new Utf8(name);
            using var v = new Utf8(value);
            _api.SetConfig(config, n.Pointer, v.Pointer); // a setting a newer version does not know is left as it is
        }

        nint database, connection;
        byte* error = null;
        using var memory = new Utf8(":memory:");
        var opened = _api.Open(memory.Pointer, &database, config, &error);
        _api.DestroyConfig(&config);
        if (opened != Success || _api.Connect(database, &connection) != Success)
            throw new UserException($"libduckdb could not start: {Marshal.PtrToStringUTF8((nint)error)}");
        (_database, _connection) = (database, connection);
    }

    /// <summary>Runs a statement whose result does not matter.</summary>
    /// <exception cref="InvalidDataException">What DuckDB says, first line.</exception>
    public void Run(string sql, params string[] arguments)
    {
        using var result = new Query(_api, _connection, sql, arguments);
        while (result.Advance())
        {
        }
    }

    /// <summary>The first column of a query, as text, streamed; null for NULL.</summary>
    /// <exception cref="InvalidDataException">What DuckDB says, first line.</exception>
    public IEnumerable<byte[]?> Texts(string sql, params string[] arguments)
    {
        using var result = new Query(_api, _connection, sql, arguments);
        while (result.Advance())
            foreach (var row in result.Rows())
                yield return row;
    }

    public void Dispose()
    {
        fixed (nint* connection = &_connection, database = &_database)
        {
            if (*connection != 0)
                _api.Disconnect(connection);
            if (*database != 0)
                _api.Close(database);
        }
    }

    /// <summary>A running statement.</summary>
    private sealed class Query : IDisposable
    {
        private readonly Api _api;
        private nint _statement;
        private Result _result;
        private bool _hasResult;
        private nint _chunk;

        public Query(Api api, nint connection, string sql, string[] arguments)
        {
            _api = api;
            using var text = new Utf8(sql);
            nint statement;
            var prepared = api.Prepare(connection, text.Pointer, &statement);
            _statement = statement;
            if (prepared != Success)
                throw Fault(api.PrepareError(statement));
            for (var i = 0; i < arguments.Length; i++)
            {
                using var value = new Utf8(arguments[i]);
                api.BindText(statement, (ulong)i + 1, value.Pointer);
            }

            Result result;
            _hasResult = true;
            var executed = api.ExecuteStreaming(statement, &result);
            _result = result;
            if (executed != Success)
                throw Fault(api.ResultError(&result));
        }

        /// <summary>Goes to the next chunk of the result, if there is one.</summary>
        public bool Advance()
        {
            DropChunk();
            _chunk = _api.FetchChunk(_result);
            if (_chunk != 0)
                return true;
            fixed (Result* result = &_result)
                return _api.ResultError(result) is not null and var error ? throw Fault(error) : false;
        }

        /// <summary>The first column of the chunk, which must be text: other columns hold no strings (a COPY's is a count).</summary>
        public List<byte[]?> Rows()
        {
            var rows = new List<byte[]?>();
            var vector = _api.ChunkVector(_chunk, 0);
            var data = _api.VectorData(vector);
            var validity = _api.VectorValidity(vector);
            var count = (int)_api.ChunkSize(_chunk);
            for (var i = 0; i < count; i++)
                rows.Add(validity is not null && (validity[i >> 6] & (1UL << (i & 63))) == 0 ? null : Text(data + (16 * i)));
            return rows;
        }

        private void DropChunk()
        {
            fixed (nint* chunk = &_chunk)
                if (*chunk != 0)
                    _api.DestroyChunk(chunk);
            _chunk = 0;
        }

        public void Dispose()
        {
            DropChunk();
            fixed (Result* result = &_result)
                if (_hasResult)
                    _api.DestroyResult(result);
            fixed (nint* statement = &_statement)
                _api.DestroyPrepare(statement);
        }

        /// <summary>duckdb_string_t: its length, then up to 12 bytes, or 4 bytes and where the whole lies.</summary>
        private static byte[] Text(byte* value)
        {
            var length = *(int*)value;
            return new ReadOnlySpan<byte>(length <= 12 ? value + 4 : *(byte**)(value + 8), length).ToArray();
        }

        private InvalidDataException Fault(byte* message)
        {
            var text = (Marshal.PtrToStringUTF8((nint)message) ?? "unknown").Split('\n')[0].TrimEnd('.');
            Dispose();
            _hasResult = false;
            _statement = 0;
            return new InvalidDataException(text);
        }
    }

    /// <summary>duckdb_result: six words that only the library looks into.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Result
    {
        private readonly ulong _a, _b, _c;
        private readonly nint _d, _e, _f;
    }

    /// <summary>A C string for the time of a call.</summary>
    private readonly struct Utf8(string text) : IDisposable
    {
        public byte* Pointer { get; } = (byte*)Marshal.StringToCoTaskMemUTF8(text);

        public void Dispose() => Marshal.FreeCoTaskMem((nint)Pointer);
    }

    /// <summary>The functions that are used, by address: the library is loaded from wherever it was found.</summary>
    private sealed class Api
    {
        private static readonly Lock s_gate = new();
        private static Api? s_loaded;

        public readonly delegate* unmanaged<nint*, int> CreateConfig;
        public readonly delegate* unmanaged<nint, byte*, byte*, int> SetConfig;
        public readonly delegate* unmanaged<nint*, void> DestroyConfig;
        public readonly delegate* unmanaged<byte*, nint*, nint, byte**, int> Open;
        public readonly delegate* unmanaged<nint, nint*, int> Connect;
        public readonly delegate* unmanaged<nint*, void> Disconnect, Close, DestroyPrepare, DestroyChunk;
        public readonly delegate* unmanaged<nint, byte*, nint*, int> Prepare;
        public readonly delegate* unmanaged<nint, byte*> PrepareError;
        public readonly delegate* unmanaged<nint, ulong, byte*, int> BindText;
        public readonly delegate* unmanaged<nint, Result*, int> ExecuteStreaming;
        public readonly delegate* unmanaged<Result*, byte*> ResultError;
        public readonly delegate* unmanaged<Result*, void> DestroyResult;
        public readonly delegate* unmanaged<Result, nint> FetchChunk;
        public readonly delegate* unmanaged<nint, ulong> ChunkSize;
        public readonly delegate* unmanaged<nint, ulong, nint> ChunkVector;
        public readonly delegate* unmanaged<nint, byte*> VectorData;
        public readonly delegate* unmanaged<nint, ulong*> VectorValidity;

        private Api(nint library)
        {
            nint Of(string name) => NativeLibrary.TryGetExport(library, name, out var address) ? address : throw new UserException($"this libduckdb has no function {name}; use version 1.x.");
            CreateConfig = (delegate* unmanaged<nint*, int>)Of("duckdb_create_config");
            SetConfig = (delegate* unmanaged<nint, byte*, byte*, int>)Of("duckdb_set_config");
            DestroyConfig = (delegate* unmanaged<nint*, void>)Of("duckdb_destroy_config");
            Open = (delegate* unmanaged<byte*, nint*, nint, byte**, int>)Of("duckdb_open_ext");
            Connect = (delegate* unmanaged<nint, nint*, int>)Of("duckdb_connect");
            Disconnect = (delegate* unmanaged<nint*, void>)Of("duckdb_disconnect");
            Close = (delegate* unmanaged<nint*, void>)Of("duckdb_close");
            Prepare = (delegate* unmanaged<nint, byte*, nint*, int>)Of("duckdb_prepare");
            PrepareError = (delegate* unmanaged<nint, byte*>)Of("duckdb_prepare_error");
            DestroyPrepare = (delegate* unmanaged<nint*, void>)Of("duckdb_destroy_prepare");
            BindText = (delegate* unmanaged<nint, ulong, byte*, int>)Of("duckdb_bind_varchar");
            ExecuteStreaming = (delegate* unmanaged<nint, Result*, int>)Of("duckdb_execute_prepared_streaming");
            ResultError = (delegate* unmanaged<Result*, byte*>)Of("duckdb_result_error");
            DestroyResult = (delegate* unmanaged<Result*, void>)Of("duckdb_destroy_result");
            FetchChunk = (delegate* unmanaged<Result, nint>)Of("duckdb_fetch_chunk");
            ChunkSize = (delegate* unmanaged<nint, ulong>)Of("duckdb_data_chunk_get_size");
            ChunkVector = (delegate* unmanaged<nint, ulong, nint>)Of("duckdb_data_chunk_get_vector");
            DestroyChunk = (delegate* unmanaged<nint*, void>)Of("duckdb_destroy_data_chunk");
            VectorData = (delegate* unmanaged<nint, byte*>)Of("duckdb_vector_get_data");
            VectorValidity = (delegate* unmanaged<nint, ulong*>)Of("duckdb_vector_get_validity");
        }

        public static Api Load()
        {
            lock (s_gate)
                return s_loaded ??= new Api(DuckDbLibrary.Load());
        }
    }
}
