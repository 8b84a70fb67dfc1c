/* The version of arnn. The build reads this file: MAJOR names the shared object (libarnn.so.MAJOR). */
#ifndef ARNN_VERSION_H
#define ARNN_VERSION_H

#define ARNN_VERSION_MAJOR 0
#define ARNN_VERSION_MINOR 1
#define ARNN_VERSION_PATCH 0

#endif
