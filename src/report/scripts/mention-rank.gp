stats data using "rank" name "R" nooutput
stats data using "mentions" name "M" nooutput
set xlabel "rank of the user" textcolor rgb ink
set ylabel "mentions" textcolor rgb ink

if (R_max > 20) {
    set logscale xy
    set xrange [0.8 : R_max * 1.4]
    set yrange [0.8 : M_max * 1.4]
    set format xy "%.0s%c"
    marked = 1
} else {
    set xrange [0.5 : R_max + 0.5]
    set yrange [0 : M_max * 1.1]
    set xtics 1
    eval ticks("y", whole(M_max))
    marked = 20
}
plot data using "rank":"mentions" with lines linecolor rgb accent linewidth 2, \
     "" using "rank":"mentions" every ::0::(marked - 1) with points linecolor rgb accent pointtype 7 pointsize 0.6
