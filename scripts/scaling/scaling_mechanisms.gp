# FOLDER/scaling_mechanisms.svg from FOLDER/scaling_mechanisms.tsv (scripts/scaling/model.py)
if (!exists('folder')) folder = 'results'
if (!exists('precision')) precision = 'int8'
set terminal svg size 720,420 noenhanced font 'sans,12' background rgb 'white'
set output folder . '/scaling_mechanisms.svg'
set datafile separator "\t"
set datafile commentschars '#'
set datafile missing NaN
table = folder . '/scaling_mechanisms.tsv'
set logscale xy
set xrange [1:12000]
set yrange [0.00001:1]
set xlabel 'ranks'
set ylabel 'share of a batch of 8 MiB a rank, ' . precision
set key outside right
set grid lc rgb '#e5e7eb' lt 1
set linetype 9 lc rgb '#444444'
of(m) = (strcol('precision') eq precision && strcol('mechanism') eq m ? column('share') : NaN)
names = '"work" "dealing and tail" "compression" "exchange" "agreements" "lists of units" "file servers" "commit latency" "rank 0"'
plot for [i=1:words(names)] table using 'ranks':(of(word(names, i))) with linespoints lw 2 pt 7 ps 0.5 title word(names, i), \
     0.05 with lines dt 2 lc rgb '#9ca3af' title '5 %'
