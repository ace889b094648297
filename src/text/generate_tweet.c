#include "generate_tweet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "murmur/clock.h"
#include "murmur/ingest.h"
#include "murmur/json.h"
#include "murmur/mem.h"

#define ODD_EVERY 25
#define N_OF(table) (sizeof(table) / sizeof *(table))

/* SplitMix64 (S. Vigna, https://prng.di.unimi.it/splitmix64.c): any state is a good one, so a tweet's is its number. */
typedef struct random_state {
    uint64_t state;
} random_state;

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint64_t draw(random_state *r, uint64_t below)
{
    r->state += 0x9E3779B97F4A7C15u;
    return mix(r->state) % below;
}

/* The accounts that most tweets are about, most popular first, invented; `liked` of 100 tweets about them are kind. */
static const struct account {
    const char *handle;
    int liked;
} accounts[] = {
    {"NorthlineTrains", 12},    {"BlueKettleCafe", 88},  {"AeroLoopAir", 20},    {"MinaOrtizMusic", 91},
    {"ParcelHopper", 15},       {"Teak_and_Tin", 74},    {"CityGridPower", 9},   {"SolsticeFest", 85},
    {"FoxAndFernBooks", 94},    {"QuickByteTel", 11},    {"HarborUnitedFC", 52}, {"NovaPhoneHelp", 23},
    {"DrSamOkafor", 80},        {"GreenForkBistro", 78}, {"MetroBusLine9", 17},  {"PixelPondGames", 61},
    {"RiverviewCinema", 70},    {"BankOfAlder", 14},     {"ChefLenaPark", 89},   {"StreamNestTV", 35},
    {"LittleLanternInn", 90},   {"HexaFitGym", 45},      {"WindmillBakery", 93}, {"CouncilOfWest", 19},
    {"jo_the_illustrator", 92}, {"CometCabs", 28},       {"OakStreetVet", 87},   {"TidalRadio", 66},
    {"MapleRidgeZoo", 81},      {"LumenBroadband", 10},
};

static const char *const first_names[] = {"mia",  "leo",   "ava",  "noah", "zoe",  "finn", "ruby", "omar",
                                          "ines", "kai",   "lena", "theo", "nina", "raj",  "sara", "tom",
                                          "yuki", "pablo", "ella", "max",  "iris", "sam",  "lucy", "ben"};
static const char *const second_names[] = {"",         "_writes", "cooks",  "runs",   "_xo",     "89",    "_art",
                                           "thegreat", "inParis", "online", "_music", "codes",   "21",    "loves",
                                           "_says",    "travels", "reads",  "_nyc",   "gardens", "_photo"};
#define N_HANDLES 4000

/* Words for the slots of templates. */
static const char *const things[] = {
    "show last night",      "new album",
    "flight home",          "coffee here",
    "service today",        "season finale",
    "weather this week",    "new phone",
    "morning commute",      "weekend in the mountains",
    "book I am reading",    "lunch special",
    "team this season",     "concert on Friday",
    "meeting this morning", "delivery",
    "new update",           "exam results",
    "birthday party",       "gym class",
    "train to work",        "customer support",
    "game tonight",         "pizza from the corner place",
    "trip to the coast",
};
static const char *const good_words[] = {"amazing",   "so good",    "lovely",  "brilliant", "wonderful", "perfect",
                                         "fantastic", "really fun", "awesome", "beautiful", "delicious", "great"};
static const char *const bad_words[] = {"terrible", "so slow", "awful",     "a disaster", "horrible", "really bad",
                                        "boring",   "a joke",  "the worst", "disgusting", "useless",  "disappointing"};
static const char *const times[] = {"today",     "this morning", "again",        "right now", "tonight",
                                    "yesterday", "all week",     "this weekend", "at last",   "since Monday"};
static const char *const good_ends[] = {"!", "!!", " :)", " :D", " <3", " 😊", " ❤️", ".", " #happy", " 🎉", " yay"};
static const char *const bad_ends[] = {".", "!", " :(", " :/", " 😡", " 😢", "...", " #fail", " ugh", " smh", " 👎"};
static const char *const links[] = {"http://bit.ly/3xYz9", "https://example.org/news?id=42&ref=tw",
                                    "http://tinyurl.com/c7mq2", "www.example.com/a_(b)"};

/* Sentences by sentiment. Slots: %t a thing, %g and %b kind and unkind words, %w a time, %G and %B endings. */
static const char *const good_sentences[] = {
    "the %t was %g%G",
    "I love the %t, %g%G",
    "thank you so much for the %t%G",
    "best %t ever, honestly %g%G",
    "so happy with the %t %w%G",
    "can't stop smiling about the %t%G",
    "what a %g day, and the %t made it even better%G",
    "the %t is %g %w, well done%G",
    "had a %g time %w, thanks to the %t%G",
    "feeling great %w. the %t really helped%G",
    "congratulations, the %t is %g%G",
    "finally got to enjoy the %t and it is %g%G",
};
static const char *const bad_sentences[] = {
    "the %t was %b%B",
    "I hate the %t, %b%B",
    "so angry about the %t %w%B",
    "worst %t ever, honestly %b%B",
    "the %t is %b %w and nobody cares%B",
    "waited two hours for the %t and it was %b%B",
    "I am so sad about the %t%B",
    "never again. the %t was %b%B",
    "what a waste of money, the %t is %b%B",
    "the %t broke %w, I want a refund%B",
    "my head hurts and the %t is %b%B",
    "still no answer about the %t, %b%B",
};
static const char *const plain_sentences[] = {
    "does anyone know when the %t starts?",
    "reading about the %t %w: %l",
    "on my way to the %t",
    "the %t has been moved to Thursday",
    "what do you think of the %t?",
    "here is the link for the %t: %l",
    "question about the %t, please check your messages",
};

/* Where the mention stands; %s is the sentence, %u the account it is about, %v any other. */
static const char *const about[] = {"@%u %s",     "@%u %s",     "@%u %s",      "%s @%u",       "%s cc @%u", ".@%u %s",
                                    "RT @%u: %s", "@%u @%v %s", "hey @%u, %s", "%s (via @%u)", "@%u %s %l"};

/* Texts that are odd. Further slots: %m the sentence, %z a text of some kilobytes. */
static const char *const odd_texts[] = {
    "RT @%u: %m",
    "RT@%u %m",
    "RT:@%u and rt @%v: %m",
    "＠%u %m",
    "@%u/list is a list, @%v/7list is not: %m",
    "write to %u@example.com or a@b.com, %m",
    "oh snap! @_@ %m",
    "@abcdefghijklmnopqrstuvwxy has 25 letters, %m",
    "の@%uに到着を待っている",
    "@@%u f!@%v #@%u &@%v *@%u $@%v %m",
    "@%u@%v %m",
    "@%u̇ and @%vé and @%uか: %m",
    "@%u://example.org and @%v's %m",
    "@ %u @- @. @%u",
    "@%u",
    "@%u @%v @%u @%v @%u @%v @%u",
    "é@%u 😀@%v _@%u -@%v (@%u) \"@%v\" /@%u: %m",
    "family 👨‍👩‍👧‍👦 flags 🇺🇸🇯🇵 skin 👍🏽 keycap 1️⃣ @%u %m 🔥🔥🔥",
    "@%u مرحبا بالعالم שלום עולם привет мир नमस्ते 你好世界 สวัสดี",
    "@%u &lt;3 &amp; &quot;%m&quot; &#39;ok&#39; &nbsp;&unknown; &#x1F600;",
    "@%u %l %l %m https://t.co/abc?q=@%v",
    "@%u %z",
    "@%u\tline one\nline two\r\n  spaces  \\ back \"quotes\" / \b\f\x7f %m",
    "@%u\u2028separators\u2029 zero\u200Bwidth\u00A0space \uFEFF e\u0301 \U0001F469\u200D\U0001F680 %m",
    "",
    " ",
    "🙂",
    "@%u loooooool!!!!!!! soooooo #%v #hash_tag ##double $TICK %m",
};

/* Records that are odd; %D %U %T %S are the tweet's fields as JSON strings, %n and %x arrays nested 63 and 64 deep. */
static const char *const odd_records[] = {
    "{\"date\": %D, \"user\": %U, \"text\": \"@%u lone \\ud83d and \\uDE00 here\", \"sentiment\": %S}",
    "{\"date\": 1239081585, \"user\": 12345678901234567890, \"text\": 1.50e+3, \"sentiment\": 4}",
    "{\"date\": %D, \"user\": {\"name\": %U, \"id\":7}, \"text\": [\"@%u\",  {\"a\": null}], \"sentiment\": true}",
    "{\"date\": false, \"user\": [ ], \"text\": %T, \"sentiment\": { }}",
    "{\"id\": 1467810369, \"date\": %D, \"query\": \"NO_QUERY\", \"user\": %U, \"text\": %T, \"sentiment\": %S}",
    "{\"date\": %D, \"user\": %U, \"text\": %T, \"sentiment\": %S, \"big\": 1E400, \"geo\": {\"lat\" : -0.0, "
    "\"tags\":[ ]}}",
    "{\"date\": %D, \"user\": %U, \"text\": \"first @%v\", \"text\": %T, \"sentiment\": %S}",
    "{\"x\": 1, \"date\": %D, \"y\": 2, \"user\": %U, \"x\": {\"last\":3}, \"text\": %T, \"sentiment\": %S}",
    "{\"date\": %D, \"text\": %T}",
    "{}",
    "{\"user\": %U, \"sentiment\": %S}",
    "{\"date\": null, \"user\": null, \"text\": null, \"sentiment\": null}",
    "{\"date\": %D, \"user\": %U, \"text\": %T, \"sentiment\": null, \"extra\": null}",
    "{\"date\": \"yesterday\", \"user\": %U, \"text\": %T, \"sentiment\": %S}",
    "{\"date\": \"Mon Apr 31 22:19:45 PDT 2009\", \"user\": %U, \"text\": %T, \"sentiment\": %S}",
    "{\"date\": \"Mon Apr 06 22:19:45 XYZ 2009\", \"user\": %U, \"text\": %T, \"sentiment\": %S}",
    "{\"date\": \"\", \"user\": \"\", \"text\": %T, \"sentiment\": \"\"}",
    "{\"Date\": %D, \"USER\": %U, \"Text\": \"not a declared field\", \"text\": %T, \"sentiment\": %S}",
    "{\"d\\u0061te\": %D, \"us\\u0065r\": %U, \"te\\u0078t\": \"@%u \\u0041\\/\\u00e9\\ud83d\\ude00\", \"sentiment\": "
    "%S}",
    "  {  \"date\"  :  %D  ,\t\"user\":%U,\"text\":%T  ,\"sentiment\"  :%S }  ",
    "{\"date\": %D, \"user\": %U, \"text\": %T, \"sentiment\": %S, \"deep\": %n}",
    "{\"date\": %D, \"user\": %U, \"text\": %T, \"sentiment\": \"POSITIVE\", \"\": \"empty key\", \"\\u00e9\": 0}",
};

#define RECORD "{\"date\": %D, \"user\": %U, \"text\": %T, \"sentiment\": %S}"

/* Lines that are no record: not the grammar, not UTF-8, or over a limit. %0 is a zero byte, %k a run of letters just
 * over the largest value. */
static const char *const bad_lines[] = {
    "{\"date\": %D, \"user\": %U, \"text\": %T, \"sentim",
    "this line is no JSON at all",
    RECORD RECORD,
    "[" RECORD "]",
    "{'date': 'today', 'user': 'me', 'text': 'hi', 'sentiment': 'positive'}",
    "{\"text\": \"keep\\u0000lost\", \"user\": %U}",
    "{\"text\": \"raw %0 zero\", \"user\": %U}",
    "{\"text\": %T, \"score\": NaN}",
    "{\"text\": %T, \"score\": -Infinity}",
    "{\"text\": %T, \"user\": %U,}",
    "{\"text\": %T} // a comment",
    "{\"text\": \"invalid \xFF\xFE bytes\"}",
    "{\"text\": \"overlong \xC0\xAF and surrogate \xED\xA0\x80\"}",
    "{\"text\": \"a raw\ttab\"}",
    "{\"text\": %T, \"deep\": %x}",
    "{\"text\": \"@%u %k\"}",
    "{\"text\": %T, \"id\": 007}",
    "\xEF\xBB\xBF{\"text\": \"a byte order mark, but not at the start\"}",
    "\"just a string\"",
    "42",
    "null",
    "{\"text\": \"bad escape \\x41\"}",
    "{\"text\" %T}",
    "}{",
};

static const char *const bad_elements[] = {
    "42",
    "\"just a string\"",
    "null",
    "[" RECORD "]",
    "{\"text\": \"keep\\u0000lost\"}",
    "{\"text\": %T, \"deep\": %x}",
    "{\"text\": %T, \"note\": \"%k\"}",
};

typedef struct tweet {
    const mur_tweet_maker *maker;
    random_state random;
    size_t account; /* number of the handle that the tweet is about */
    const char *sentiment;
    mur_buf sentence, date, user, text;
} tweet;

static const char *pick(tweet *t, const char *const *from, size_t n)
{
    return from[draw(&t->random, n)];
}
#define PICK(t, table) pick(t, table, N_OF(table))

static void append_handle(mur_buf *out, size_t number)
{
    if (number < N_OF(accounts)) {
        mur_buf_append_text(out, accounts[number].handle);
        return;
    }
    number -= N_OF(accounts);
    size_t first = number % N_OF(first_names), second = number / N_OF(first_names) % N_OF(second_names);
    size_t round = number / (N_OF(first_names) * N_OF(second_names));
    mur_buf_printf(out, "%s%s", first_names[first], second_names[second]);
    if (round > 0)
        mur_buf_printf(out, "%zu", round);
}

/* Zipf's law with exponent 1, in whole numbers, so that every machine draws the same. */
static size_t draw_handle(tweet *t)
{
    const uint64_t *reach = t->maker->reach;
    uint64_t at = draw(&t->random, reach[N_HANDLES - 1]);
    size_t low = 0, high = N_HANDLES - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (reach[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void append_nested(mur_buf *out, int depth)
{
    for (int i = 0; i < depth; i++)
        mur_buf_append_byte(out, '[');
    for (int i = 0; i < depth; i++)
        mur_buf_append_byte(out, ']');
}

static void append_letters(mur_buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mur_buf_append_byte(out, (char)('a' + i % 26));
}

static void expand(tweet *t, const char *template, mur_buf *out);

static void expand_slot(tweet *t, char slot, mur_buf *out)
{
    switch (slot) {
    case 't': mur_buf_append_text(out, PICK(t, things)); break;
    case 'g': mur_buf_append_text(out, PICK(t, good_words)); break;
    case 'b': mur_buf_append_text(out, PICK(t, bad_words)); break;
    case 'w': mur_buf_append_text(out, PICK(t, times)); break;
    case 'l': mur_buf_append_text(out, PICK(t, links)); break;
    case 'G': mur_buf_append_text(out, PICK(t, good_ends)); break;
    case 'B': mur_buf_append_text(out, PICK(t, bad_ends)); break;
    case 'u': append_handle(out, t->account); break;
    case 'v': append_handle(out, draw_handle(t)); break;
    case 's':
    case 'm': mur_buf_append_view(out, mur_buf_view(&t->sentence)); break;
    case 'z':
        for (uint64_t n = 20 + draw(&t->random, 80); n > 0; n--) {
            expand(t, PICK(t, plain_sentences), out);
            mur_buf_append_byte(out, ' ');
        }
        break;
    case 'D': mur_json_append_string(out, mur_buf_view(&t->date)); break;
    case 'U': mur_json_append_string(out, mur_buf_view(&t->user)); break;
    case 'T': mur_json_append_string(out, mur_buf_view(&t->text)); break;
    case 'S': mur_json_append_string(out, mur_view_of(t->sentiment)); break;
    case 'n': append_nested(out, MUR_MAX_DEPTH - 1); break; /* the record itself is one level */
    case 'x': append_nested(out, MUR_MAX_DEPTH); break;
    case 'k': append_letters(out, MUR_MAX_VALUE + 1); break;
    case '0': mur_buf_append_byte(out, '\0'); break;
    }
}

static void expand(tweet *t, const char *template, mur_buf *out)
{
    for (const char *at = template; *at; at++)
        if (*at == '%')
            expand_slot(t, *++at, out);
        else
            mur_buf_append_byte(out, *at);
}

/* Spring 2009, mostly as Twitter wrote it then; a fifth in the other spellings that murmur reads. */
static void make_date(tweet *t)
{
    static const struct zone {
        const char *name;
        int minutes;
    } zones[] = {{"UTC", 0},    {"GMT", 0},     {"Z", 0},       {"EST", -300}, {"EDT", -240},
                 {"CST", -360}, {"CDT", -300},  {"MST", -420},  {"MDT", -360}, {"PST", -480},
                 {"+0000", 0},  {"+0530", 330}, {"-0330", -210}};
    static const char *const weekdays[] = {"Thu", "Fri", "Sat", "Sun",
                                           "Mon", "Tue", "Wed"}; /* 1970 began on Thursday */
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static const char *const iso[] = {"", "Z", "+02:00", "-0700", "+05", ".25Z", ".123456Z", ",9"};
    const int64_t april = 1238544000, quarter = 91 * 86400; /* seconds; from 2009-04-01T00:00:00Z */

    int64_t seconds = april + (int64_t)draw(&t->random, (uint64_t)quarter);
    uint64_t spelling = draw(&t->random, 100);
    struct zone zone = spelling < 80 ? (struct zone){"PDT", -420} : zones[draw(&t->random, N_OF(zones))];
    if (spelling >= 92)
        zone.minutes = 0;
    int64_t local = seconds + 60 * zone.minutes;
    int year, month, day;
    char text[MUR_TIME_TEXT], clock[9];
    mur_time_format(text, local * 1000);
    if (sscanf(text, "%4d-%2d-%2dT%8[0-9:]", &year, &month, &day, clock) != 4)
        return;
    if (spelling < 92)
        mur_buf_printf(&t->date, "%s %s %02d %s %s %d", weekdays[local / 86400 % 7], months[month - 1], day, clock,
                       zone.name, year);
    else if (spelling < 94)
        mur_buf_printf(&t->date, "%d-%02d-%02d", year, month, day);
    else
        mur_buf_printf(&t->date, "%d-%02d-%02d%c%s%s", year, month, day, spelling % 2 ? 'T' : ' ', clock, PICK(t, iso));
}

static void tweet_begin(tweet *t, const mur_tweet_maker *m, uint64_t stream, uint64_t index)
{
    *t = (tweet){.maker = m, .random.state = mix(mix(m->seed + stream) ^ index)};
    t->account = draw_handle(t);
    /* A lesser account's standing is drawn from its number, so that it is the same in all tweets. */
    uint64_t liked = t->account < N_OF(accounts) ? (uint64_t)accounts[t->account].liked : 20 + mix(t->account) % 61;
    bool is_plain = draw(&t->random, 100) < 6, is_good = draw(&t->random, 100) < liked;
    t->sentiment = is_plain ? "neutral" : is_good ? "positive" : "negative";
    const char *sentence = is_plain  ? PICK(t, plain_sentences)
                           : is_good ? PICK(t, good_sentences)
                                     : PICK(t, bad_sentences);
    expand(t, sentence, &t->sentence);
    make_date(t);
    append_handle(&t->user, draw_handle(t));
    if (draw(&t->random, 100) < 55)
        expand(t, PICK(t, about), &t->text);
    else
        expand(t, "%s", &t->text);
}

static void tweet_end(tweet *t)
{
    mur_buf_clear(&t->sentence);
    mur_buf_clear(&t->date);
    mur_buf_clear(&t->user);
    mur_buf_clear(&t->text);
}

void mur_tweet_make(const mur_tweet_maker *m, uint64_t index, bool is_pretty, mur_buf *out)
{
    tweet t;
    tweet_begin(&t, m, 0, index);
    const char *record =
        is_pretty ? "{\n  \"date\": %D,\n  \"user\": %U,\n  \"text\": %T,\n  \"sentiment\": %S\n}" : RECORD;
    if (index % ODD_EVERY == ODD_EVERY - 1) {
        size_t kind = index / ODD_EVERY % (N_OF(odd_texts) + N_OF(odd_records));
        if (kind < N_OF(odd_texts)) {
            mur_buf_reset(&t.text);
            expand(&t, odd_texts[kind], &t.text);
        } else {
            record = odd_records[kind - N_OF(odd_texts)];
        }
    }
    expand(&t, record, out);
    tweet_end(&t);
}

void mur_reject_make(const mur_tweet_maker *m, uint64_t number, bool is_element, mur_buf *out)
{
    tweet t;
    tweet_begin(&t, m, 1, number);
    expand(&t, is_element ? bad_elements[number % N_OF(bad_elements)] : bad_lines[number % N_OF(bad_lines)], out);
    tweet_end(&t);
}

void mur_tweet_maker_init(mur_tweet_maker *m, uint64_t seed)
{
    *m = (mur_tweet_maker){.seed = mix(seed), .reach = mur_alloc(N_HANDLES, sizeof *m->reach)};
    uint64_t sum = 0;
    for (size_t i = 0; i < N_HANDLES; i++)
        m->reach[i] = sum += ((uint64_t)1 << 32) / (i + 2); /* + 2: the first is not twice the second */
}

void mur_tweet_maker_clear(mur_tweet_maker *m)
{
    free(m->reach);
    m->reach = NULL;
}
