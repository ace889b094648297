/* chart.h: what the scripts of several pictures have in common. */
#ifndef MURMUR_CHART_H
#define MURMUR_CHART_H

/* Names of the three classes in their colours, above the plot, in the order of the bars. */
#define LEGEND(first, second, third)                                                                                   \
    "unset key\n"                                                                                                      \
    "set tmargin at screen 0.9\n"                                                                                      \
    "set label 1 \"■ " first "\" at screen 0.40, 0.95 textcolor rgb " first "\n"                                       \
    "set label 2 \"■ " second "\" at screen 0.60, 0.95 textcolor rgb " second "\n"                                     \
    "set label 3 \"■ " third "\" at screen 0.79, 0.95 textcolor rgb " third "\n"

/* Round numbers on an axis that begins at 0 and goes to `max`, an expression. */
#define TICKS(axis, max)                                                                                               \
    "set " axis "tics (\"0\" 0)\n"                                                                                     \
    "set for [i = 1 : 5] " axis "tics add (short(i * step(" max ")) i * step(" max "))\n"

/* Twenty bars from the top, which fewer are as thick as (eight at least have room), with a user's name each. */
#define RANKED(value)                                                                                                  \
    "stats data using \"" value "\" name \"T\" nooutput\n"                                                             \
    "n = T_records > 8 ? T_records : 8\n"                                                                              \
    "set yrange [n - 0.5 : -0.5]\n"                                                                                    \
    "set xrange [0 : T_max * 1.2]\n"                                                                                   \
    "set grid noytics\n"                                                                                               \
    "set lmargin at screen 0.38\n"                                                                                     \
    "set rmargin at screen 0.98\n"                                                                                     \
    "set tmargin at screen 0.99\n"                                                                                     \
    "set bmargin at screen 0.07\n"                                                                                     \
    "set ytics font \",12\"\n" TICKS("x", "T_max")

#endif
