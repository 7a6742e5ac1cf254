/** Version of the run directory's layout and of the rows in it: units of another version are not resumed. */
export const formatVersion = 2;
