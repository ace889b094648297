# FOLDER/scaling.svg from FOLDER/scaling_model.tsv (scripts/scaling/model.py): gnuplot -e "folder = 'results'" scripts/scaling/scaling.gp
if (!exists('folder')) folder = 'results'
if (!exists('precision')) precision = 'int8'
set terminal svg size 720,420 noenhanced font 'sans,12' background rgb 'white'
set output folder . '/scaling.svg'
set datafile separator "\t"
set datafile commentschars '#'
table = folder . '/scaling_model.tsv'
set logscale x
set xrange [1:12000]
set yrange [0:1.05]
set xlabel 'ranks'
set ylabel 'efficiency against one rank'
set key left bottom
set grid lc rgb '#e5e7eb' lt 1
of(p, k) = (strcol('precision') eq p && strcol('kind') eq k ? column('efficiency') : NaN)
set datafile missing NaN
plot table using 'ranks':(of('fp32', 'weak')) with linespoints lw 2 pt 7 ps 0.6 lc rgb '#0f766e' title 'fp32, 64 MiB a rank (weak)', \
     '' using 'ranks':(of('fp32', 'strong')) with linespoints lw 2 pt 7 ps 0.6 dt 2 lc rgb '#0f766e' title 'fp32, 256 GiB in all (strong)', \
     '' using 'ranks':(of(precision, 'weak')) with linespoints lw 2 pt 5 ps 0.6 lc rgb '#b45309' title precision . ', 64 MiB a rank', \
     '' using 'ranks':(of(precision, 'strong')) with linespoints lw 2 pt 5 ps 0.6 dt 2 lc rgb '#b45309' title precision . ', 256 GiB in all', \
     '' using 'ranks':(of('fp32', 'default')) with linespoints lw 1 pt 4 ps 0.6 dt 3 lc rgb '#6b7280' title 'fp32, 256 GiB, batches of 256M'
