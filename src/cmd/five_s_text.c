#include "five_s_text.h"

#include <math.h>

#define INDENT 25
#define WIDTH 100 /* of a line; a longer word gets its own */

/* Words of `text`, the first line behind what stands there already. */
static void append_wrapped(mur_buf *out, const char *text)
{
    for (size_t column = INDENT; *text;) {
        size_t len = strcspn(text, " ");
        if (column > INDENT && column + len > WIDTH) {
            mur_buf_printf(out, "\n%*s", INDENT, "");
            column = INDENT;
        }
        mur_buf_append(out, text, len);
        text += len;
        column += len;
        if (*text == ' ') {
            text++;
            if (column + 1 + strcspn(text, " ") <= WIDTH)
                mur_buf_append_byte(out, ' ');
            column++;
        }
    }
    mur_buf_append_byte(out, '\n');
}

void mur_append_five_s(mur_buf *out, const mur_five_s *f)
{
    for (size_t s = 0; s < MUR_N_FIVE_S; s++) {
        const mur_finding *finding = &f->findings[s];
        mur_buf_printf(out, "%-15s %-8s ", finding->name, mur_grade_name(finding->grade));
        append_wrapped(out, finding->verdict);
        if (finding->grade > MUR_GRADE_FINE) {
            mur_buf_printf(out, "%*s", INDENT, "");
            append_wrapped(out, finding->cure);
        }
    }
}

cJSON *mur_five_s_json(const mur_five_s *f)
{
    cJSON *root = cJSON_CreateObject();
    for (size_t s = 0; s < MUR_N_FIVE_S; s++) {
        const mur_finding *finding = &f->findings[s];
        cJSON *o = cJSON_AddObjectToObject(root, finding->name);
        cJSON_AddStringToObject(o, "grade", mur_grade_name(finding->grade));
        cJSON_AddStringToObject(o, "verdict", finding->verdict);
        cJSON_AddStringToObject(o, "cure", finding->cure);
        for (size_t i = 0; i < finding->n_figures; i++) {
            const mur_five_s_figure *figure = &finding->figures[i];
            if (isnan(figure->value))
                cJSON_AddNullToObject(o, figure->name);
            else
                cJSON_AddNumberToObject(o, figure->name, figure->value);
        }
    }
    return root;
}
