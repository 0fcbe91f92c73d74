using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Gradus.Text.Tokenizers;

/// <summary>
/// Remembers what pieces became, keyed by their bytes. Two tables of fixed size: pieces of up to 15 bytes that became up to 5 ids sit
/// inside one 32-byte slot (nearly all of English); the rest, up to 128 bytes, are in a second table with their bytes in an arena.
/// </summary>
/// <remarks>One per thread, so no locks. A hit is verified byte by byte: a hash collision costs time, never a wrong id.</remarks>
internal sealed class PieceCache
{
    public const int MaxShort = 15;
    public const int MaxLong = 128;

    /// <summary>Ids that a short piece may have become; a search writes this many wherever it is told to.</summary>
    public const int ShortIds = 5;

    private const int PackedIdBits = 24;

    [StructLayout(LayoutKind.Sequential, Size = 32)]
    private struct Slot
    {
        public ulong Low, High; // the bytes, zero-padded, and the length in the top byte: never all zero for a piece
        public Vector128<byte> Ids; // five of three bytes each, and their number in the last byte
    }

    private struct LongSlot
    {
        public ulong Hash;
        public int Start; // into both arenas: length bytes of text at Start, ids at IdStart
        public int IdStart;
        public byte Length, Count;
    }

    // 2^17 slots of 32 bytes are 4 MiB: more than a core's second-level cache, but the encoder asks for a slot long before it reads it,
    // and every piece it need not merge again saves a microsecond. Pages that no piece hashes to are never touched.
    private const int ShortBits = 17;
    private const int LongBits = 15;
    private const int ByteArena = 1 << 20, IdArena = 1 << 19;

    private readonly Slot[] _slots = new Slot[1 << ShortBits];
    private LongSlot[]? _longSlots;
    private byte[] _bytes = [];
    private int[] _ids = [];
    private int _byteCount, _idCount;

    /// <summary>Where the key lives. Starts to load its cache line, so that <see cref="Find"/> a little later need not wait for it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe int Expect(Vector128<ulong> key)
    {
        var home = Home(key[0], key[1]);
        if (Sse.IsSupported)
            Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_slots), home))); // a hint: harmless if the array moves
        return home;
    }

    /// <summary>Copies the ids of a short piece to <paramref name="ids"/> and returns their number, or 0 if the piece is not here.</summary>
    /// <param name="key">From <see cref="ShortKey"/>.</param>
    /// <param name="home">From <see cref="Expect"/>.</param>
    /// <param name="ids">Room for at least <see cref="ShortIds"/> ids.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(Vector128<ulong> key, int home, ref int ids)
    {
        var low = key[0];
        var high = key[1];
        ref var first = ref MemoryMarshal.GetArrayDataReference(_slots);
        ref var slot = ref Unsafe.Add(ref first, home);
        if (slot.Low != low || slot.High != high)
        {
            slot = ref Unsafe.Add(ref first, home ^ 1); // the neighbour on the same cache line
            if (slot.Low != low || slot.High != high)
                return 0;
        }

        // Writing all five is cheaper than asking how many there are.
        var packed = slot.Ids;
        Vector128.Shuffle(packed, Vector128.Create((byte)0, 1, 2, 255, 3, 4, 5, 255, 6, 7, 8, 255, 9, 10, 11, 255)).AsInt32().StoreUnsafe(ref ids);
        var last = packed.AsUInt32()[3];
        Unsafe.Add(ref ids, 4) = (int)(last & 0xFFFFFF);
        return (int)(last >> 24);
    }

    /// <summary>True when <see cref="Keep"/> takes these ids.</summary>
    public static bool IsShort(ReadOnlySpan<int> ids)
    {
        if (ids.Length is 0 or > ShortIds)
            return false;
        foreach (var id in ids)
            if ((uint)id >> PackedIdBits != 0)
                return false;
        return true;
    }

    /// <summary>Remembers a short piece; the older of the two pieces on its cache line makes room.</summary>
    public void Keep(Vector128<ulong> key, ReadOnlySpan<int> ids)
    {
        Span<byte> packed = stackalloc byte[20]; // the last id is written with four bytes too
        packed.Clear();
        for (var i = 0; i < ids.Length; i++)
            MemoryMarshal.Write(packed[(3 * i)..], ids[i]);
        packed[15] = (byte)ids.Length;
        var home = Home(key[0], key[1]);
        _slots[home ^ 1] = _slots[home];
        _slots[home] = new Slot { Low = key[0], High = key[1], Ids = Vector128.Create<byte>(packed[..16]) };
    }

    /// <summary>The ids of a piece that does not fit the short table, or empty if it is not here.</summary>
    public ReadOnlySpan<int> FindLong(ReadOnlySpan<byte> piece, ulong hash)
    {
        if (_longSlots is null)
            return [];
        ref readonly var slot = ref _longSlots[hash >> (64 - LongBits)];
        if (slot.Hash != hash || slot.Length != piece.Length || !piece.SequenceEqual(_bytes.AsSpan(slot.Start, slot.Length)))
            return [];
        return _ids.AsSpan(slot.IdStart, slot.Count);
    }

    public void KeepLong(ReadOnlySpan<byte> piece, ulong hash, ReadOnlySpan<int> ids)
    {
        if (ids.Length is 0 or > byte.MaxValue)
            return;
        if (_longSlots is null)
            (_longSlots, _bytes, _ids) = (new LongSlot[1 << LongBits], new byte[ByteArena], new int[IdArena]);
        if (_byteCount + piece.Length > ByteArena || _idCount + ids.Length > IdArena)
        {
            Array.Clear(_longSlots); // full: start over; the common pieces are back within a few thousand words
            (_byteCount, _idCount) = (0, 0);
        }

        piece.CopyTo(_bytes.AsSpan(_byteCount));
        ids.CopyTo(_ids.AsSpan(_idCount));
        _longSlots[hash >> (64 - LongBits)] = new LongSlot
        {
            Hash = hash,
            Start = _byteCount,
            IdStart = _idCount,
            Length = (byte)piece.Length,
            Count = (byte)ids.Length,
        };
        _byteCount += piece.Length;
        _idCount += ids.Length;
    }

    /// <summary>The key of a piece of 1 to 15 bytes: its bytes, zero-padded, with the length in the last byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> ShortKey(ReadOnlySpan<byte> text, int start, int length)
    {
        Vector128<byte> bytes;
        if (start + 16 <= text.Length)
        {
            bytes = Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(text), (nuint)start)
                & Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(Masks), (nuint)(16 - length));
        }
        else
        {
            Span<byte> padded = stackalloc byte[16];
            padded.Clear();
            text.Slice(start, length).CopyTo(padded);
            bytes = Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(padded));
        }

        var key = bytes.AsUInt64();
        return key.WithElement(1, key[1] | ((ulong)length << 56));
    }

    /// <summary>The hash of a longer piece, eight bytes at a time.</summary>
    public static ulong LongHash(ReadOnlySpan<byte> piece)
    {
        var hash = (ulong)piece.Length * 0x9E3779B97F4A7C15UL;
        while (piece.Length >= 8)
        {
            hash = Mix(hash ^ MemoryMarshal.Read<ulong>(piece));
            piece = piece[8..];
        }

        ulong tail = 0;
        for (var i = 0; i < piece.Length; i++)
            tail |= (ulong)piece[i] << (8 * i);
        return Mix(hash ^ tail);
    }

    private static ulong Mix(ulong x)
    {
        x *= 0xD6E8FEB86659FD93UL;
        return x ^ (x >> 32) ^ (x << 17);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Home(ulong low, ulong high)
    {
        var mixed = (low ^ (high * 0xC2B2AE3D27D4EB4FUL)) * 0x9E3779B97F4A7C15UL;
        return (int)((mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9UL >> (64 - ShortBits));
    }

    // Sixteen ones then sixteen zeros: a load at 16 - n masks all but the first n bytes.
    private static ReadOnlySpan<byte> Masks =>
    [
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
}
