
set encoding utf8
set datafile separator "\t"
set datafile commentschars ""
set datafile columnheaders
set border 0
set tics scale 0 textcolor rgb ink
set grid xtics ytics linetype 1 dashtype solid linecolor rgb faint linewidth 0.6
set style fill solid noborder
unset key

# Axes from 0 to n: 25k, and the distance of ticks at round numbers; whole() is for what is counted.
short(n) = n >= 1e9 ? sprintf("%gG", n / 1e9) : n >= 1e6 ? sprintf("%gM", n / 1e6) : n >= 1e4 ? sprintf("%gk", n / 1e3) : sprintf("%g", n)
power(n) = 10.0 ** floor(log10(n))
round(n) = n / power(n) < 2 ? power(n) / 2 : n / power(n) < 4 ? power(n) : 2 * power(n)
whole(n) = n < 4 ? 1 : round(n)
ticks(axis, step) = sprintf("set %stics ('0' 0); set for [i = 1 : 5] %stics add (short(i * %g) i * %g)", axis, axis, step, step)

# Names of the classes in their colours, above the plot, in the order of the bars.
class(i, name, x) = sprintf("set label %d '■ %s' at screen %g, 0.95 textcolor rgb %s; ", i, name, x, name)
legend(a, b, c) = "set tmargin at screen 0.9; " . class(1, a, 0.40) . class(2, b, 0.60) . class(3, c, 0.79)

