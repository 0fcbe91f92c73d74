using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers.Formats;

/// <summary>What a piece is; the numbers are the file's.</summary>
internal enum SentencePieceType
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// <summary>How text is spelt; the numbers are the file's.</summary>
internal enum SentencePieceKind
{
    Unigram = 1,
    Bpe = 2,
    Word = 3,
    Char = 4,
}

/// <summary>A piece of a model: its text with ▁ for spaces, its score (log probability, or minus the rank of its merge) and what it is.</summary>
internal readonly record struct SentencePiece(string Text, float Score, SentencePieceType Type = SentencePieceType.Normal);

/// <summary>How text is rewritten before it is spelt (<c>normalizer_spec</c>).</summary>
internal sealed record SentencePieceNormalization
{
    /// <summary>The name of the rules: identity, nfkc, nmt_nfkc, nfkc_cf, nmt_nfkc_cf, user_defined.</summary>
    public string Name { get; init; } = "";

    /// <summary>The compiled rules; empty for none.</summary>
    public byte[] CharsMap { get; init; } = [];

    public bool AddDummyPrefix { get; init; } = true;

    public bool RemoveExtraWhitespaces { get; init; } = true;

    public bool EscapeWhitespaces { get; init; } = true;

    /// <summary>Fields we do not know, as they stood.</summary>
    public byte[] Other { get; init; } = [];
}

/// <summary>A SentencePiece <c>.model</c> file: pieces, and the settings that encoding depends on. Fields we do not use are kept and written back.</summary>
internal sealed record SentencePieceModel
{
    public IReadOnlyList<SentencePiece> Pieces { get; init; } = [];

    public SentencePieceKind Kind { get; init; } = SentencePieceKind.Unigram;

    public bool ByteFallback { get; init; }

    public bool WhitespaceAsSuffix { get; init; }

    public string UnkPiece { get; init; } = "<unk>";

    public string BosPiece { get; init; } = "<s>";

    public string EosPiece { get; init; } = "</s>";

    public string PadPiece { get; init; } = "<pad>";

    /// <summary>What an unknown piece decodes to.</summary>
    public string UnkSurface { get; init; } = " \u2047 ";

    public SentencePieceNormalization Normalization { get; init; } = new();

    /// <summary>What decoded text goes through, or null.</summary>
    public SentencePieceNormalization? Denormalization { get; init; }

    /// <summary>Fields of <c>trainer_spec</c> that encoding does not depend on, as they stood.</summary>
    public byte[] OtherTraining { get; init; } = [];

    /// <summary>Further fields of the file, as they stood.</summary>
    public byte[] Other { get; init; } = [];

    public static SentencePieceModel ReadFile(string file) => Read(File.ReadAllBytes(file), file);

    /// <exception cref="UserException">The bytes are no such model.</exception>
    public static SentencePieceModel Read(ReadOnlySpan<byte> content, string file)
    {
        if (content.IsEmpty)
            throw new UserException($"{file}: the file is empty");
        var model = new SentencePieceModel();
        var pieces = new List<SentencePiece>();
        var other = new ProtoWriter();
        var reader = new ProtoReader(content, file, "", 0);
        while (reader.Next())
            switch (reader.Field)
            {
                case 1:
                    pieces.Add(ReadPiece(reader.Message($"pieces[{pieces.Count}]")));
                    break;
                case 2:
                    model = ReadTraining(reader.Message("trainer_spec"), model);
                    break;
                case 3:
                    model = model with { Normalization = ReadNormalization(reader.Message("normalizer_spec")) };
                    break;
                case 5:
                    model = model with { Denormalization = ReadNormalization(reader.Message("denormalizer_spec")) };
                    break;
                default:
                    other.Raw(reader.Skip());
                    break;
            }

        model = model with { Pieces = pieces, Other = other.Written.ToArray() };
        model.Check(file);
        return model;
    }

    public byte[] Write()
    {
        var model = new ProtoWriter();
        foreach (var piece in Pieces)
        {
            var message = new ProtoWriter();
            message.Text(1, piece.Text);
            message.Single(2, piece.Score);
            if (piece.Type != SentencePieceType.Normal)
                message.Int32(3, (int)piece.Type);
            model.Bytes(1, message.Written);
        }

        var training = new ProtoWriter();
        training.Int32(3, (int)Kind);
        training.Flag(24, WhitespaceAsSuffix);
        training.Flag(35, ByteFallback);
        training.Text(44, UnkSurface);
        training.Text(45, UnkPiece);
        training.Text(46, BosPiece);
        training.Text(47, EosPiece);
        training.Text(48, PadPiece);
        training.Raw(OtherTraining);
        model.Bytes(2, training.Written);
        model.Bytes(3, Write(Normalization));
        if (Denormalization is { } denormalization)
            model.Bytes(5, Write(denormalization));
        model.Raw(Other);
        return model.Written.ToArray();
    }

    /// <summary>The id of a piece of that text and type, or null.</summary>
    public int? IdOf(string text, SentencePieceType type)
    {
        for (var id = 0; id < Pieces.Count; id++)
            if (Pieces[id].Type == type && Pieces[id].Text == text)
                return id;
        return null;
    }

    private static byte[] Write(SentencePieceNormalization spec)
    {
        var message = new ProtoWriter();
        message.Text(1, spec.Name);
        message.Bytes(2, spec.CharsMap);
        message.Flag(3, spec.AddDummyPrefix);
        message.Flag(4, spec.RemoveExtraWhitespaces);
        message.Flag(5, spec.EscapeWhitespaces);
        message.Raw(spec.Other);
        return message.Written.ToArray();
    }

    private static SentencePiece ReadPiece(ProtoReader reader)
    {
        var (text, score, type) = ("", 0f, 1);
        while (reader.Next())
            switch (reader.Field)
            {
                case 1: text = reader.Text("piece"); break;
                case 2: score = reader.Single("score"); break;
                case 3: type = reader.Int32("type"); break;
                default: reader.Skip(); break;
            }

        if (text.Length == 0)
            throw reader.Error("the piece is empty");
        if (type is < 1 or > 6)
            throw reader.Error($"type {type} of '{text}' is unknown; known are 1 (normal) to 6 (byte)");
        return new(text, score, (SentencePieceType)type);
    }

    private static SentencePieceModel ReadTraining(ProtoReader reader, SentencePieceModel model)
    {
        var other = new ProtoWriter();
        while (reader.Next())
            switch (reader.Field)
            {
                case 3:
                    var kind = reader.Int32("model_type");
                    if (kind is < 1 or > 4)
                        throw reader.Error($"model_type {kind} is unknown; known are 1 (unigram), 2 (bpe), 3 (word) and 4 (char)");
                    model = model with { Kind = (SentencePieceKind)kind };
                    break;
                case 24: model = model with { WhitespaceAsSuffix = reader.Flag("treat_whitespace_as_suffix") }; break;
                case 35: model = model with { ByteFallback = reader.Flag("byte_fallback") }; break;
                case 44: model = model with { UnkSurface = reader.Text("unk_surface") }; break;
                case 45: model = model with { UnkPiece = Named(reader.Text("unk_piece"), "<unk>") }; break;
                case 46: model = model with { BosPiece = Named(reader.Text("bos_piece"), "<s>") }; break;
                case 47: model = model with { EosPiece = Named(reader.Text("eos_piece"), "</s>") }; break;
                case 48: model = model with { PadPiece = Named(reader.Text("pad_piece"), "<pad>") }; break;
                default: other.Raw(reader.Skip()); break;
            }

        return model with { OtherTraining = [.. model.OtherTraining, .. other.Written] };

        static string Named(string text, string otherwise) => text.Length == 0 ? otherwise : text;
    }

    private static SentencePieceNormalization ReadNormalization(ProtoReader reader)
    {
        var spec = new SentencePieceNormalization();
        var other = new ProtoWriter();
        while (reader.Next())
            switch (reader.Field)
            {
                case 1: spec = spec with { Name = reader.Text("name") }; break;
                case 2: spec = spec with { CharsMap = reader.Bytes("precompiled_charsmap").ToArray() }; break;
                case 3: spec = spec with { AddDummyPrefix = reader.Flag("add_dummy_prefix") }; break;
                case 4: spec = spec with { RemoveExtraWhitespaces = reader.Flag("remove_extra_whitespaces") }; break;
                case 5: spec = spec with { EscapeWhitespaces = reader.Flag("escape_whitespaces") }; break;
                default: other.Raw(reader.Skip()); break;
            }

        return spec with { Other = other.Written.ToArray() };
    }

    /// <summary>What SentencePiece itself refuses, and what could not be told apart by name.</summary>
    internal void Check(string file)
    {
        if (Pieces.Count == 0)
            throw new UserException($"{file}: there are no pieces; this is no SentencePiece model");
        var owners = new Dictionary<string, int>(Pieces.Count, StringComparer.Ordinal);
        var (unknown, bytes) = (-1, 0);
        for (var id = 0; id < Pieces.Count; id++)
        {
            var piece = Pieces[id];
            if (!owners.TryAdd(piece.Text, id))
                throw new UserException($"{file}: pieces[{id}]: '{piece.Text}' is pieces[{owners[piece.Text]}] already");
            if (piece.Type == SentencePieceType.Unknown && unknown >= 0)
                throw new UserException($"{file}: pieces[{id}]: '{piece.Text}' is a second unknown piece; pieces[{unknown}] is one");
            if (piece.Type == SentencePieceType.Unknown)
                unknown = id;
            if (piece.Type != SentencePieceType.Byte)
                continue;
            if (!ByteFallback)
                throw new UserException($"{file}: pieces[{id}]: '{piece.Text}' is a byte piece, but trainer_spec.byte_fallback is false");
            if (BytePieces.Read(piece.Text) is null)
                throw new UserException($"{file}: pieces[{id}]: '{piece.Text}' is no byte piece; they are called <0x00> to <0xFF>");
            bytes++;
        }

        if (unknown < 0)
            throw new UserException($"{file}: no piece is the unknown one (type 2); every SentencePiece model has one");
        if (ByteFallback && bytes != 256)
            throw new UserException($"{file}: trainer_spec.byte_fallback is true, but there are {bytes} byte pieces instead of 256");
    }
}
