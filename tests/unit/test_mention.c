#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "murmur/json.h"
#include "murmur/mention.h"
#include "shared_data.h"

typedef struct expectation {
    const char *text;
    const char *mentions; /* with their signs, a space between two */
    const char *cleaned;
} expectation;

static void expect(mur_mention_rule rule, const expectation *cases, size_t n)
{
    mur_mentions m = {0};
    mur_buf joined = {0};
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(cases[i].text);
        char *copy = malloc(len + !len); /* no byte behind it */
        memcpy(copy, cases[i].text, len);
        mur_mentions_find(&m, rule, (mur_view){copy, len});
        mur_buf_reset(&joined);
        for (size_t k = 0; k < m.n_found; k++) {
            mur_buf_append_text(&joined, k ? " " : "");
            mur_buf_append_view(&joined, m.found[k]);
        }
        free(copy);
        if (strcmp(mur_buf_text(&joined), cases[i].mentions) != 0 ||
            strcmp(mur_buf_text(&m.cleaned), cases[i].cleaned) != 0)
            fail_msg("\"%s\" gives \"%s\" and \"%s\"", cases[i].text, joined.ptr, m.cleaned.ptr);
    }
    mur_buf_clear(&joined);
    mur_mentions_clear(&m);
}

#define EXPECT(rule, cases) expect(rule, cases, sizeof cases / sizeof *cases)

static void twitter_rule_looks_at_what_stands_before(void **state)
{
    (void)state;
    static const expectation cases[] = {
        {"", "", ""},
        {"@", "", "@"},
        {"no one", "", "no one"},
        {"@bob", "@bob", ""},
        {"hi @bob, @Al_1!", "@bob @Al_1", "hi , !"},
        {"＠bob と＠al", "＠bob ＠al", " と"},
        {"é@bob 😀@al の@cy", "@bob @al @cy", "é 😀 の"},
        {".@a /@b -@c (@d \"@e +@f ~@g\n@h", "@a @b @c @d @e @f @g @h", ". / - ( \" + ~\n"},
        {"x@bob 1@bob _@bob", "", "x@bob 1@bob _@bob"},
        {"!@a #@b $@c %@d &@e *@f", "", "!@a #@b $@c %@d &@e *@f"},
        {"@@bob ＠@bob @＠bob", "", "@@bob ＠@bob @＠bob"},
        {"a@b.com", "", "a@b.com"},
    };
    EXPECT(MUR_MENTION_TWITTER, cases);
}

static void twitter_rule_knows_retweets(void **state)
{
    (void)state;
    static const expectation cases[] = {
        {"RT@bob: rt@al Rt@cy rT@dy", "@bob @al @cy @dy", "RT: rt Rt rT"},
        {"RT:@bob RT @al", "@bob @al", "RT: RT "},
        {"xRT@bob _RT@bob 5RT@bob", "", "xRT@bob _RT@bob 5RT@bob"},
        {"+RT@a .RT@a ~RT@a -RT@a", "", "+RT@a .RT@a ~RT@a -RT@a"},
        {"(RT@a) éRT@b ＠RT@c", "@a @b", "(RT) éRT ＠RT@c"}, /* ＠RT ends at a sign, and leaves nothing before @c */
        {"x@RT@bob", "@bob", "x@RT"},                        /* as the reference's expression has it */
        {"T@bob ART@bob", "", "T@bob ART@bob"},
    };
    EXPECT(MUR_MENTION_TWITTER, cases);
}

static void twitter_rule_looks_at_what_comes_behind(void **state)
{
    (void)state;
    static const expectation cases[] = {
        {"@bob@al hi", "", "@bob@al hi"},
        {"@bob＠al", "", "@bob＠al"},
        {"@bob@ x", "", "@bob@ x"},
        {"@http://x.co @http:/x", "@http", "@http://x.co :/x"},
        {"@alice\u00EC @alice\u0301 @alice\u1EFF @alice\u02BB @alice\u024F", "",
         "@alice\u00EC @alice\u0301 @alice\u1EFF @alice\u02BB @alice\u024F"},
        {"@a\u00D7 @b\u00F7 @c\u0250 @d\u0370 @e\u1F00 @f\u00BF", "@a @b @c @d @e @f",
         "\u00D7 \u00F7 \u0250 \u0370 \u1F00 \u00BF"},
        {"@bob's @bob. @bobの", "@bob @bob @bob", "'s . の"},
        {"@_@ x", "", "@_@ x"},
    };
    EXPECT(MUR_MENTION_TWITTER, cases);
}

static void twitter_rule_takes_twenty_of_a_longer_name(void **state)
{
    (void)state;
    static const expectation cases[] = {
        {"@abcdefghij0123456789 x", "@abcdefghij0123456789", " x"},
        {"@abcdefghij0123456789x", "@abcdefghij0123456789", "x"},
        {"@abcdefghij0123456789x@bob", "@abcdefghij0123456789", "x@bob"},
    };
    EXPECT(MUR_MENTION_TWITTER, cases);
}

static void twitter_rule_tells_lists_from_mentions(void **state)
{
    (void)state;
    static const expectation cases[] = {
        {"@bob/list", "", "@bob/list"},
        {"@bob/l @al/7 @cy/ @dy/_x", "@al @cy @dy", "@bob/l /7 / /_x"},
        {"@bob/li-@al", "", "@bob/li-@al"}, /* the list takes the '-', so nothing stands before @al */
        {"@bob/li.@al", "@al", "@bob/li."},
        {"@bob/a23456789012345678901234-@al", "", "@bob/a23456789012345678901234-@al"},
        {"@bob/a234567890123456789012345-@al", "@al", "@bob/a234567890123456789012345-"}, /* 25 end before the '-' */
        {"@bob/list@al x", "", "@bob/list@al x"},
    };
    EXPECT(MUR_MENTION_TWITTER, cases);
}

static void word_rule_is_the_notebooks(void **state)
{
    (void)state;
    static const expectation cases[] = {
        {"", "", ""},
        {"@", "", "@"},
        {"hi @bob, @Al_1!", "@bob @Al_1", "hi , !"},
        {"RT@bob: so", "", "RT: so"},
        {"@bob@al hi", "@bob@al", " hi"},
        {"@bob mail @al@cy.com", "@bob @al@cy", " mail .com"},
        {"oh @_@", "@_@", "oh @"},
        {"@bob@", "@bob@", "@"},
        {"@http://x.co", "@http", "://x.co"},
        {"@bob\u00ECn", "@bob", "\u00ECn"},
        {"f!@kn", "@kn", "f!"},
        {"＠bob", "", "＠bob"},
        {"@abcdefghij0123456789x", "@abcdefghij0123456789x", ""},
        {"@bob/list", "@bob", "/list"},
        {"a@b.com is", "", "a.com is"},
        {"good@night @bob", "@bob", "good "},
        {"@@bob", "", "@"},
        {"@BOB @bob", "@BOB @bob", " "},
        {"の@bobに 😀@al _@cy", "@bob @al", "のに 😀 _"},
        {"@@@ @ a@", "", "@@@ @ a@"},
    };
    EXPECT(MUR_MENTION_WORD, cases);
}

static void rules_have_names(void **state)
{
    (void)state;
    mur_mention_rule rule = MUR_MENTION_TWITTER;
    assert_true(mur_mention_rule_from_name(&rule, "word"));
    assert_int_equal(rule, MUR_MENTION_WORD);
    assert_true(mur_mention_rule_from_name(&rule, mur_mention_rule_name(MUR_MENTION_TWITTER)));
    assert_int_equal(rule, MUR_MENTION_TWITTER);
    assert_false(mur_mention_rule_from_name(&rule, "Word"));
    assert_false(mur_mention_rule_from_name(&rule, ""));
}

static size_t n_code_points(const char *begin, const char *end)
{
    size_t n = 0;
    for (; begin < end; begin++)
        n += ((unsigned char)*begin & 0xC0) != 0x80;
    return n;
}

/* One case of twitter-text's suite; false where it speaks of replies alone. */
static bool check_suite_case(const cJSON *entry, mur_mentions *m)
{
    const cJSON *names = mur_json_member(entry, "mentions"), *indices = mur_json_member(entry, "indices");
    const char *text = mur_json_string(entry, "text", "");
    if (!cJSON_IsArray(names))
        return false;
    mur_mentions_find(m, MUR_MENTION_TWITTER, mur_view_of(text));
    bool same = (size_t)cJSON_GetArraySize(names) == m->n_found;
    for (int i = 0; same && i < (int)m->n_found; i++) {
        mur_view found = m->found[i];
        size_t sign = found.ptr[0] == '@' ? 1 : 3;
        same = mur_view_equal((mur_view){found.ptr + sign, found.len - sign},
                              mur_view_of(cJSON_GetArrayItem(names, i)->valuestring));
        if (same && cJSON_IsArray(indices)) {
            const cJSON *span = cJSON_GetArrayItem(indices, i);
            same = cJSON_GetArrayItem(span, 0)->valueint == (int)n_code_points(text, found.ptr) &&
                   cJSON_GetArrayItem(span, 1)->valueint == (int)n_code_points(text, found.ptr + found.len);
        }
    }
    if (!same)
        fail_msg("%s: \"%s\" gives %zu mentions", mur_json_string(entry, "id", "?"), text, m->n_found);
    return true;
}

static void twitter_texts_own_suite_holds(void **state)
{
    (void)state;
    char *path = shared_data("golden/mentions/mentions_dev.jsonl");
    if (!path)
        skip();
    mur_buf text = {0};
    assert_int_equal(mur_file_read(&text, path), 0);
    mur_mentions m = {0};
    size_t n_checked = 0;
    for (size_t at = 0; at < text.len;) {
        const char *feed = memchr(text.ptr + at, '\n', text.len - at);
        size_t end = feed ? (size_t)(feed - text.ptr) : text.len;
        cJSON *entry = mur_json_parse((mur_view){text.ptr + at, end - at}, path);
        assert_non_null(entry);
        n_checked += check_suite_case(entry, &m);
        cJSON_Delete(entry);
        at = end + 1;
    }
    assert_true(n_checked > 0);
    mur_mentions_clear(&m);
    mur_buf_clear(&text);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twitter_rule_looks_at_what_stands_before),
        cmocka_unit_test(twitter_rule_knows_retweets),
        cmocka_unit_test(twitter_rule_looks_at_what_comes_behind),
        cmocka_unit_test(twitter_rule_takes_twenty_of_a_longer_name),
        cmocka_unit_test(twitter_rule_tells_lists_from_mentions),
        cmocka_unit_test(word_rule_is_the_notebooks),
        cmocka_unit_test(rules_have_names),
        cmocka_unit_test(twitter_texts_own_suite_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
