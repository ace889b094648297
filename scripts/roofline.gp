# results/roofline.svg from results/roofline.tsv (scripts/roofline.sh).
set terminal svg size 720,420 noenhanced font 'sans,12' background rgb 'white'
set output 'results/roofline.svg'
set datafile separator "\t"
table = 'results/roofline.tsv'
set logscale xy
set xrange [1:4096]
set yrange [8:1200]
set xlabel 'operations for each byte of weights'
set ylabel '10^9 operations a second of processor time'
set grid
set key off
stats table using (strcol(1) eq 'memory' ? $4 : NaN) nooutput
memory = STATS_max
roofs = system("awk -F'\\t' '$1 == \"roof\" {print $2}' " . table)
height(name) = real(system("awk -F'\\t' '$1 == \"roof\" && $2 == \"" . name . "\" {print $4}' " . table))
do for [name in roofs] {
    set label sprintf('%s peak %.0f', name, height(name)) at 1.2, height(name) * 1.1
}
set label sprintf('memory %.0f GB/s', memory) at 1.6, memory * 2.6 rotate by 38
plot for [name in roofs] (x * memory < height(name) ? x * memory : height(name)) with lines lw 2 lc rgb '#555555', \
     table using (strcol(1) eq 'encoder' ? $3 : NaN):4 with points pt 7 ps 1.2 lc rgb '#c03020', \
     table using (strcol(1) eq 'encoder' ? $3 : NaN):4:(sprintf('%s, %s', strcol(2), strcol(5))) with labels right offset -1,0
